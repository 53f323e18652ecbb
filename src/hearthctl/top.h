/* SPDX-License-Identifier: MIT */
/* hearthctl top: the status, painted anew every second. */
#ifndef HEARTHCTL_TOP_H
#define HEARTHCTL_TOP_H

#include "hearthctl/tool.h"

/* For the list of commands. */
int top_run(const struct tool *t, int argc, char **argv);

#endif
