/* SPDX-License-Identifier: MIT */
/* hearthctl import: settings of other programs as a hearthd.conf. */
#ifndef HEARTHCTL_IMPORT_H
#define HEARTHCTL_IMPORT_H

#include "hearthctl/tool.h"

/* For the list of commands. */
int import_run(const struct tool *t, int argc, char **argv);

#endif
