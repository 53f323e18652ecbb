/* SPDX-License-Identifier: MIT */
/* hearthctl dns …: looking into the cache and the upstreams, and flushing. */
#ifndef SERVICES_DNS_COMMANDS_H
#define SERVICES_DNS_COMMANDS_H

#include "core/ctl.h"
#include "services/dns/dns_resolver.h"
#include "util/err.h"

struct dns_commands;
struct loop;

/* r and the loop must outlive it. Errors: ERR_NOMEM. */
enum err dns_commands_new(struct dns_commands **out, struct loop *loop,
    struct dns_resolver *r) MUST_CHECK;
/* Ends what is under way. NULL is fine. */
void dns_commands_free(struct dns_commands *cs);

/* Do what the words say; rq ends now or some turns of the loop later. */
void dns_command(struct dns_commands *cs, struct ctl_request *rq);

#endif
