/* The subcommands of `holdfast`. Each is a main of its own: argv[0] is "holdfast NAME", the result
 * the exit status: 0 done, 1 something that was checked does not hold, 2 wrong usage, 3 (log)
 * a data directory that is refused. */
#ifndef HF_TOOLS_COMMANDS_H
#define HF_TOOLS_COMMANDS_H

#define HF_EXIT_OK      0
#define HF_EXIT_FAILED  1
#define HF_EXIT_USAGE   2
#define HF_EXIT_REFUSED 3

int holdfast_load_main(int argc, char **argv);
int holdfast_run_main(int argc, char **argv);
int holdfast_admin_main(int argc, char **argv);
int holdfast_log_main(int argc, char **argv);
int holdfast_keygen_main(int argc, char **argv);
int holdfast_drill_main(int argc, char **argv);

#endif
