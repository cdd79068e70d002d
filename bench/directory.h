/* The directories that a benchmark makes for itself. */
#ifndef HF_BENCH_DIRECTORY_H
#define HF_BENCH_DIRECTORY_H

/* Removes a directory and the plain files in it; what cannot be removed stays. */
void hf_bench_remove_directory(const char *path);

#endif
