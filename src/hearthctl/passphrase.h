/* SPDX-License-Identifier: MIT */
/* Words that nobody shall see: from the terminal without echo, or a line of the standard input. */
#ifndef HEARTHCTL_PASSPHRASE_H
#define HEARTHCTL_PASSPHRASE_H

#include <stdbool.h>
#include <stddef.h>

#define PASSPHRASE_MAX 256	/* bytes, closing zero included */

/*
 * Ask for a passphrase; on a terminal twice. False after a word about what is wrong.
 *
 * out	the words without the end of the line; the caller wipes it
 */
bool passphrase_read(char out[static PASSPHRASE_MAX]);

#endif
