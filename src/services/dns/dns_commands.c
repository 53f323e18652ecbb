/* SPDX-License-Identifier: MIT */
/*
 * One function per command; each ends the request. What goes through the whole cache does so in
 * slices: a flush goes on by a timer, a dump when the next slice is asked for, so that a reader who
 * is slow costs nothing.
 */
#include "services/dns/dns_commands.h"

#include <inttypes.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

#include "core/loop.h"
#include "services/dns/dns_cache.h"
#include "services/dns/dns_dump.h"
#include "services/dns/dns_msg.h"
#include "services/dns/dns_name.h"

#define LOOKUP_MAX   256	/* entries shown for one name */
#define TOP_LINES    10		/* of each kind */
#define FLUSH_PLACES 1024	/* a turn: some 100 us where all of it goes */
#define FLUSHES_MAX  16		/* under way at once; the control socket has as many connections */

/* A flush under way. */
struct flush_job {
	struct dns_commands *owner;
	struct ctl_request *rq;
	struct timer step;
	struct dns_flush flush;
	LIST_ENTRY(flush_job) link;
};

struct dns_commands {
	struct loop *loop;
	struct dns_resolver *resolver;
	unsigned flushes;
	LIST_HEAD(, flush_job) jobs;
};

/* Read the name in argv[i]; on nonsense the request has ended and false is given. */
static bool
name_arg(struct ctl_request *rq, size_t i, struct dns_name *out)
{
	if (dns_name_parse(out, span_str(rq->argv[i])) == OK)
		return true;
	ctl_fail(rq, "\"%s\" is not a domain name", rq->argv[i]);
	return false;
}

static void
lookup(struct dns_commands *cs, struct ctl_request *rq)
{
	struct dns_cache *c = dns_resolver_cache(cs->resolver);
	struct dns_name name;
	const struct dns_entry *e;
	uint32_t cursor = 0;
	unsigned shown = 0;

	if (rq->argc != 2) {
		ctl_fail(rq, "usage: dns lookup NAME");
		return;
	}
	if (!name_arg(rq, 1, &name))
		return;

	struct report *list = report_list(rq->out, "entries");

	while (shown < LOOKUP_MAX &&
	    (e = dns_cache_next_of(c, dns_name_span(&name), &cursor)) != NULL) {
		struct dns_entry_info info;

		dns_entry_info(c, e, loop_now(cs->loop), &info);
		dns_dump_entry(&info, dns_resolver_routes(cs->resolver), report_object(list, NULL));
		shown++;
	}
	report_u64(rq->out, "found", shown);
	ctl_done(rq);
}

/* --- dump ------------------------------------------------------------------------------------- */

/* Where to go on is told as two numbers: slots may have got other ones meanwhile. */
#define CURSOR_FORMAT "%" SCNu32 ".%" SCNu32 "%n"

static bool
read_cursor(struct dns_commands *cs, struct ctl_request *rq, uint32_t *cursor)
{
	uint32_t numbering = 0;
	int end = 0;

	*cursor = 0;
	if (rq->argc == 1)
		return true;
	if (rq->argc != 2 || sscanf(rq->argv[1], CURSOR_FORMAT, &numbering, cursor, &end) != 2 ||
	    rq->argv[1][end] != '\0') {
		ctl_fail(rq, "usage: dns dump [NEXT]");
		return false;
	}
	if (numbering == dns_cache_numbering(dns_resolver_cache(cs->resolver)))
		return true;
	ctl_fail(rq, "the cache has been put into smaller tables meanwhile; begin anew");
	return false;
}

static void
dump(struct dns_commands *cs, struct ctl_request *rq)
{
	const struct dns_cache *c = dns_resolver_cache(cs->resolver);
	char next[32];
	uint32_t cursor;
	bool more;

	if (!read_cursor(cs, rq, &cursor))
		return;
	if (dns_dump_slice(c, dns_resolver_routes(cs->resolver), &cursor, loop_now(cs->loop),
	    report_list(rq->out, "entries"), &more) != OK) {
		ctl_fail(rq, "out of memory");
		return;
	}
	snprintf(next, sizeof(next), "%" PRIu32 ".%" PRIu32, dns_cache_numbering(c), cursor);
	report_str(rq->out, "next", more ? next : NULL);
	ctl_done(rq);
}

/* --- flush ------------------------------------------------------------------------------------ */

static void
end_flush(struct flush_job *j)
{
	LIST_REMOVE(j, link);
	j->owner->flushes--;
	loop_timer_cancel(j->owner->loop, &j->step);
	free(j);
}

static void
step_flush(struct timer *t, mono_us now)
{
	struct flush_job *j = (struct flush_job *)((char *)t - offsetof(struct flush_job, step));
	struct ctl_request *rq = j->rq;

	if (dns_cache_flush_some(dns_resolver_cache(j->owner->resolver), &j->flush,
	    FLUSH_PLACES)) {
		loop_timer(j->owner->loop, t, now + 1);
		return;
	}
	report_u64(rq->out, "flushed", j->flush.gone);
	end_flush(j);
	ctl_done(rq);
}

static void
begin_flush(struct dns_commands *cs, struct ctl_request *rq, const struct dns_flush *what)
{
	struct flush_job *j = cs->flushes < FLUSHES_MAX ? calloc(1, sizeof(*j)) : NULL;

	if (j == NULL) {
		ctl_fail(rq, cs->flushes < FLUSHES_MAX ? "out of memory"
						       : "too many flushes are under way");
		return;
	}
	j->owner = cs;
	j->rq = rq;
	j->flush = *what;
	j->flush.now = loop_now(cs->loop);
	j->step.fire = step_flush;
	LIST_INSERT_HEAD(&cs->jobs, j, link);
	cs->flushes++;
	step_flush(&j->step, loop_now(cs->loop));
}

static const struct {
	const char *word;
	enum dns_flush_what what;
} whole_flushes[] = {
	{ "--all", DNS_FLUSH_ALL },
	{ "--negative", DNS_FLUSH_NEGATIVE },
	{ "--stale", DNS_FLUSH_STALE },
};

/* "NAME", "NAME TYPE" or "--below NAME"; where it is nonsense the request has ended. */
static bool
read_flush_name(struct ctl_request *rq, struct dns_flush *f)
{
	bool below = rq->argc == 3 && strcmp(rq->argv[1], "--below") == 0;

	if (rq->argc < 2 || rq->argc > 3) {
		ctl_fail(rq, "usage: dns flush NAME [TYPE] | dns flush --below NAME | "
		    "dns flush --negative | --stale | --all");
		return false;
	}
	f->what = below ? DNS_FLUSH_BELOW : rq->argc == 2 ? DNS_FLUSH_NAME : DNS_FLUSH_TYPE;
	if (!name_arg(rq, below ? 2 : 1, &f->name))
		return false;
	if (f->what != DNS_FLUSH_TYPE || dns_type_parse(&f->type, span_str(rq->argv[2])) == OK)
		return true;
	ctl_fail(rq, "\"%s\" is not a record type", rq->argv[2]);
	return false;
}

static void
flush(struct dns_commands *cs, struct ctl_request *rq)
{
	struct dns_flush f = { .what = DNS_FLUSH_ALL };

	for (size_t i = 0; rq->argc == 2 && i < sizeof(whole_flushes) / sizeof(whole_flushes[0]);
	     i++) {
		if (strcmp(rq->argv[1], whole_flushes[i].word) == 0) {
			f.what = whole_flushes[i].what;
			begin_flush(cs, rq, &f);
			return;
		}
	}
	if (read_flush_name(rq, &f))
		begin_flush(cs, rq, &f);
}

/* --- the others ------------------------------------------------------------------------------- */

static void
explain(struct dns_commands *cs, struct ctl_request *rq)
{
	struct dns_name name;
	struct addr client;
	uint16_t type = DNS_TYPE_A;
	const char *from = rq->argc > 3 ? rq->argv[3] : "127.0.0.1";

	if (rq->argc < 2 || rq->argc > 4) {
		ctl_fail(rq, "usage: dns explain NAME [TYPE] [CLIENT]");
		return;
	}
	if (!name_arg(rq, 1, &name))
		return;
	if (rq->argc > 2 && dns_type_parse(&type, span_str(rq->argv[2])) != OK) {
		ctl_fail(rq, "\"%s\" is not a record type", rq->argv[2]);
		return;
	}
	if (addr_parse(&client, from, 0) != OK) {
		ctl_fail(rq, "\"%s\" is not an address", from);
		return;
	}
	dns_name_lower(name.wire, dns_name_span(&name));
	dns_resolver_explain(cs->resolver, dns_name_span(&name), type, &client, loop_now(cs->loop),
	    rq->out);
	ctl_done(rq);
}

static void
stats(struct dns_commands *cs, struct ctl_request *rq)
{
	dns_resolver_report(cs->resolver, rq->out);
	ctl_done(rq);
}

static void
upstreams(struct dns_commands *cs, struct ctl_request *rq)
{
	dns_resolver_report_upstreams(cs->resolver, rq->out);
	ctl_done(rq);
}

static void
top(struct dns_commands *cs, struct ctl_request *rq)
{
	if (rq->argc != 1) {
		ctl_fail(rq, "usage: dns top");
		return;
	}
	if (!dns_resolver_counts(cs->resolver)) {
		ctl_fail(rq, "nothing is counted: the setting dns.top is false");
		return;
	}
	dns_resolver_top(cs->resolver, TOP_LINES, loop_now(cs->loop), rq->out);
	ctl_done(rq);
}

static const struct {
	const char *word;
	void (*run)(struct dns_commands *cs, struct ctl_request *rq);
} commands[] = {
	{ "stats", stats },
	{ "lookup", lookup },
	{ "dump", dump },
	{ "explain", explain },
	{ "flush", flush },
	{ "upstreams", upstreams },
	{ "top", top },
};

void
dns_command(struct dns_commands *cs, struct ctl_request *rq)
{
	for (size_t i = 0; rq->argc > 0 && i < sizeof(commands) / sizeof(commands[0]); i++) {
		if (strcmp(rq->argv[0], commands[i].word) == 0) {
			commands[i].run(cs, rq);
			return;
		}
	}
	ctl_fail(rq, "usage: dns stats | top | lookup NAME | dump | explain NAME [TYPE] [CLIENT] | "
		     "flush NAME [TYPE] | flush --below NAME | flush --negative | --stale | "
		     "--all | upstreams");
}

/* --- life ------------------------------------------------------------------------------------- */

enum err
dns_commands_new(struct dns_commands **out, struct loop *loop, struct dns_resolver *r)
{
	struct dns_commands *cs = calloc(1, sizeof(*cs));

	if (cs == NULL)
		return ERR_NOMEM;
	cs->loop = loop;
	cs->resolver = r;
	LIST_INIT(&cs->jobs);
	*out = cs;
	return OK;
}

void
dns_commands_free(struct dns_commands *cs)
{
	struct flush_job *j;

	while (cs != NULL && (j = LIST_FIRST(&cs->jobs)) != NULL) {
		struct ctl_request *rq = j->rq;

		end_flush(j);
		ctl_fail(rq, "the service is ending");
	}
	free(cs);
}
