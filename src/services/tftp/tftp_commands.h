/* SPDX-License-Identifier: MIT */
/* What the TFTP service says about itself: hearthctl status, hearthctl tftp sessions | map. */
#ifndef SERVICES_TFTP_TFTP_COMMANDS_H
#define SERVICES_TFTP_TFTP_COMMANDS_H

#include "core/ctl.h"
#include "core/report.h"
#include "services/tftp/tftp_session.h"

void tftp_commands_report(const struct tftp_state *st, struct report *out);
void tftp_commands_run(struct tftp_state *st, struct ctl_request *rq);

#endif
