/* Files of [section] and key = value, as all of this program's are: read line by line, with the
 * number of the first that is wrong. */
#ifndef HOLDFASTD_INI_FILE_H
#define HOLDFASTD_INI_FILE_H

#include "engine/status.h"

/* The longest value, with its NUL; a line has room for some more. */
#define INI_FILE_VALUE_SIZE 256

/* Takes one setting. NULL, or why it is refused. Section and key may be any text. */
typedef const char *(*ini_file_taker)(void *context, const char *section, const char *key,
                                      const char *value, int line);

/* Reads a file. A line that begins with # or ; is a comment, and so is what follows a blank and a
 * #. INVALID with one line that names the file, the line and the key. Blocks. */
HF_MUST_USE enum hf_status ini_file_read(const char *path, ini_file_taker take, void *context,
                                         struct hf_fault *fault);

#endif
