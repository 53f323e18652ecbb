/* SPDX-License-Identifier: MIT */
#ifndef HEARTHCTL_DUMP_H
#define HEARTHCTL_DUMP_H

#include "hearthctl/tool.h"

/* hearthctl dns dump: what is cached, as lines of a zone file or an object a line. */
int dump_run(const struct tool *t, int argc, char **argv);

#endif
