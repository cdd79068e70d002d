#include "ini_file.h"

#include <errno.h>
#include <ini.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

/* What the INI reader hands from line to line. */
struct reading {
    FILE *file;
    int line; /* the one being read, from 1 */
    ini_file_taker take;
    void *context;
    int bad_line; /* the first that was refused, 0: none */
    char bad[HF_FAULT_LINE_SIZE / 2];
};

static char *next_line(char *text, int size, void *stream)
{
    struct reading *reading = stream;

    reading->line++;
    return fgets(text, size, reading->file);
}

static int take_setting(void *context, const char *section, const char *key, const char *value)
{
    struct reading *reading = context;
    const char *why = reading->take(reading->context, section, key, value, reading->line);

    if (why != NULL && reading->bad_line == 0) {
        reading->bad_line = reading->line;
        snprintf(reading->bad, sizeof reading->bad, "[%.20s] %.30s %s", section, key, why);
    }
    return why == NULL;
}

/* How this program's files differ from the reader's defaults: a semicolon is part of a value
 * (node.cores has them), an indented line is a line like any other, and the longest value
 * (port.eal) fits on its line. */
static void set_up_reader(void)
{
    static char inline_comment[] = "#";

    ini_inline_comment_prefixes = inline_comment;
    ini_allow_multiline = false;
    ini_max_line = 4 * INI_FILE_VALUE_SIZE;
}

enum hf_status ini_file_read(const char *path, ini_file_taker take, void *context,
                             struct hf_fault *fault)
{
    struct reading reading = {.take = take, .context = context, .file = fopen(path, "re")};
    bool unreadable;
    int line;

    if (reading.file == NULL) {
        snprintf(fault->line, sizeof fault->line, "%.200s: %s", path, strerror(errno));
        return HF_STATUS_INVALID;
    }
    set_up_reader();
    errno = 0;
    line = ini_parse_stream(next_line, &reading, take_setting, &reading);
    unreadable = ferror(reading.file) != 0;
    if (unreadable) /* a directory opens, and reads as nothing */
        snprintf(fault->line, sizeof fault->line, "%.200s: %s", path, strerror(errno));
    fclose(reading.file);
    if (unreadable)
        return HF_STATUS_INVALID;
    if (line == 0)
        return HF_STATUS_OK;
    snprintf(fault->line, sizeof fault->line, "%.100s:%d: %s", path, line,
             line == reading.bad_line ? reading.bad : "is neither [section] nor key = value");
    return HF_STATUS_INVALID;
}
