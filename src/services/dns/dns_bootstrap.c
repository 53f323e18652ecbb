/* SPDX-License-Identifier: MIT */
/*
 * Look-ups of upstream servers' names. A and AAAA of a name are two look-ups that know nothing of
 * each other, so that a network that swallows one does not hold up the other. Each asks one server
 * at a time and the next one when that fails; when all have, it rests, 1 s first, doubling to 30 s.
 *
 * A name that has addresses is never left without: an answer that takes the last ones away is held
 * for a mistake and asked for again.
 */
#include "services/dns/dns_bootstrap.h"

#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

#include "core/log.h"
#include "core/loop.h"
#include "core/report.h"
#include "services/dns/dns_msg.h"

#define PATIENCE   seconds(1)	/* with one server */
#define REST_FIRST seconds(1)	/* after all have failed */
#define REST_MAX   seconds(30)

struct entry;

struct lookup {
	struct dns_send send;	/* first: what done() gets */
	struct timer due;
	struct entry *entry;
	uint16_t type;
	size_t at;		/* the server to ask, */
	size_t failed;		/* so many in this round did not answer */
	usec rest;
	bool over;		/* a round has ended, well or not */
	bool nothing;		/* the last answer was that there is no address */
	struct addr addrs[DNS_BOOTSTRAP_ADDRS_MAX];
	size_t count;
	size_t beyond;		/* addresses that did not fit */
	uint64_t answers, failures;
};

struct entry {
	LIST_ENTRY(entry) link;
	struct dns_bootstrap *b;
	struct dns_name name;
	struct lookup lookups[2];	/* A, AAAA */
	enum dns_bootstrap_state told;	/* as `changed` was called for last */
	unsigned wanted;		/* the reading of the settings that asked for it last, */
	unsigned born;			/* and that asked for it first */
};

struct dns_bootstrap {
	struct dns_bootstrap_env env;
	LIST_HEAD(, entry) entries;
	size_t entry_count;
	struct dns_server *servers[DNS_BOOTSTRAP_SERVERS_MAX];
	size_t server_count;
	unsigned reading;
	struct loop_task news;
	struct dns_answer answer;
};

/* --- state ------------------------------------------------------------------------------------ */

static enum dns_bootstrap_state
state_of(const struct entry *e)
{
	const struct lookup *a = &e->lookups[0], *aaaa = &e->lookups[1];

	if (a->count + aaaa->count != 0)
		return DNS_BOOTSTRAP_KNOWN;
	if (a->nothing && aaaa->nothing)
		return DNS_BOOTSTRAP_NONE;
	return a->over && aaaa->over ? DNS_BOOTSTRAP_FAILING : DNS_BOOTSTRAP_ASKING;
}

static void
tell(struct loop_task *task)
{
	struct dns_bootstrap *b =
	    (struct dns_bootstrap *)((char *)task - offsetof(struct dns_bootstrap, news));

	b->env.changed(b->env.ctx);
}

static void
log_state(const struct entry *e, enum dns_bootstrap_state state)
{
	const struct dns_bootstrap_env *env = &e->b->env;
	char name[DNS_NAME_TEXT_MAX];

	dns_name_format(dns_name_span(&e->name), name);
	if (state == DNS_BOOTSTRAP_KNOWN)
		log_event(env->log, LOG_LEVEL_INFO, env->service, "upstream_name",
		    LOG_STR("name", name));
	else if (state != DNS_BOOTSTRAP_ASKING)
		log_event(env->log, LOG_LEVEL_WARNING, env->service, "upstream_name_unknown",
		    LOG_STR("name", name), LOG_BOOL("answered", state == DNS_BOOTSTRAP_NONE));
}

/* A look-up has come to an end: is that news to others? */
static void
settle(struct lookup *l, bool addresses)
{
	struct entry *e = l->entry;
	enum dns_bootstrap_state state;

	l->over = true;
	state = state_of(e);
	if (state != e->told)
		log_state(e, state);
	if (addresses || state != e->told)
		loop_defer(e->b->env.loop, &e->b->news);
	e->told = state;
}

/* --- asking ----------------------------------------------------------------------------------- */

static void
rest(struct lookup *l, usec span)
{
	struct loop *loop = l->entry->b->env.loop;

	loop_timer(loop, &l->due, loop_now(loop) + span);
}

/* Ask the server whose turn it is; where none can be asked, later. */
static void
ask(struct lookup *l)
{
	struct dns_bootstrap *b = l->entry->b;
	struct dns_send_ask q = { .name = dns_name_span(&l->entry->name), .type = l->type,
		.class = DNS_CLASS_IN, .rd = true };

	if (b->server_count == 0 ||
	    dns_upstream_send(b->env.up, b->servers[l->at % b->server_count],
	    &l->send, &q, loop_now(b->env.loop) + PATIENCE) != OK)
		rest(l, REST_FIRST);
}

static void
due(struct timer *timer, mono_us now)
{
	struct lookup *l = (struct lookup *)((char *)timer - offsetof(struct lookup, due));

	(void)now;
	ask(l);
}

/* This server is of no use; the next one may be. */
static void
fail(struct lookup *l)
{
	struct dns_bootstrap *b = l->entry->b;

	l->failures++;
	l->at++;
	if (++l->failed < b->server_count) {
		ask(l);
		return;
	}
	l->failed = 0;
	rest(l, l->rest);
	l->rest = l->rest * 2 < REST_MAX ? l->rest * 2 : REST_MAX;
	settle(l, false);
}

/* --- answers ---------------------------------------------------------------------------------- */

/* Servers turn the order of addresses round; that is no news. */
static bool
same_addrs(const struct lookup *l, const struct addr *addrs, size_t count)
{
	if (l->count != count)
		return false;
	for (size_t i = 0; i < count; i++)
		if (!dns_named_among(addrs, count, &l->addrs[i]))
			return false;
	return true;
}

static void
take(struct lookup *l, struct span msg)
{
	struct dns_bootstrap *b = l->entry->b;
	struct addr addrs[DNS_BOOTSTRAP_ADDRS_MAX];
	size_t found = dns_named_addrs(&b->answer, msg, l->type, 0, addrs, DNS_BOOTSTRAP_ADDRS_MAX);
	size_t count = found < DNS_BOOTSTRAP_ADDRS_MAX ? found : DNS_BOOTSTRAP_ADDRS_MAX;
	size_t others = l->entry->lookups[l->type == DNS_TYPE_A].count;
	usec ttl = seconds(b->answer.ttl_s);

	if (count == 0 && l->count != 0 && others == 0) {
		fail(l);
		return;
	}

	bool news = !same_addrs(l, addrs, count);

	if (news)
		memcpy(l->addrs, addrs, sizeof(addrs));
	l->count = count;
	l->beyond = found - count;
	l->nothing = count == 0;
	l->answers++;
	l->failed = 0;
	l->rest = REST_FIRST;
	if (ttl < b->env.ttl_min)
		ttl = b->env.ttl_min;
	rest(l, ttl < DNS_BOOTSTRAP_TTL_MAX ? ttl : DNS_BOOTSTRAP_TTL_MAX);
	settle(l, news);
}

static void
done(struct dns_send *s, const struct dns_reply *r)
{
	struct lookup *l = (struct lookup *)s;
	struct dns_bootstrap *b = l->entry->b;
	struct dns_question asked = { .name = dns_name_span(&l->entry->name), .type = l->type,
		.class = DNS_CLASS_IN };

	if (r->result != DNS_SEND_ANSWER ||
	    dns_answer_parse(&b->answer, r->answer, &asked) != OK) {
		fail(l);
		return;
	}
	switch (b->answer.kind) {
	case DNS_ANSWER_DATA:
	case DNS_ANSWER_NODATA:
	case DNS_ANSWER_NXDOMAIN:
		take(l, r->answer);
		break;
	case DNS_ANSWER_REFERRAL:
	case DNS_ANSWER_FAILURE:
	case DNS_ANSWER_TRUNCATED:
		fail(l);
		break;
	}
}

/* --- names ------------------------------------------------------------------------------------ */

static struct entry *
find_entry(struct dns_bootstrap *b, const struct dns_name *name)
{
	struct entry *e;

	LIST_FOREACH(e, &b->entries, link)
		if (span_equal(dns_name_span(&e->name), dns_name_span(name)))
			return e;
	return NULL;
}

/* The look-ups begin when the loop turns: the servers to ask may be set after the names. */
static enum err
add_entry(struct dns_bootstrap *b, const struct dns_name *name, struct entry **out)
{
	struct entry *e;

	if (b->entry_count == DNS_BOOTSTRAP_NAMES_MAX)
		return ERR_FULL;
	e = calloc(1, sizeof(*e));
	if (e == NULL)
		return ERR_NOMEM;
	e->b = b;
	e->name = *name;
	e->born = b->reading;
	for (size_t i = 0; i < 2; i++) {
		struct lookup *l = &e->lookups[i];

		l->send.done = done;
		l->due.fire = due;
		l->entry = e;
		l->type = i == 0 ? DNS_TYPE_A : DNS_TYPE_AAAA;
		l->rest = REST_FIRST;
		rest(l, 0);
	}
	LIST_INSERT_HEAD(&b->entries, e, link);
	b->entry_count++;
	*out = e;
	return OK;
}

static void
stop(struct lookup *l)
{
	struct dns_bootstrap *b = l->entry->b;

	loop_timer_cancel(b->env.loop, &l->due);
	dns_upstream_cancel(b->env.up, &l->send);
}

static void
drop_entry(struct entry *e)
{
	stop(&e->lookups[0]);
	stop(&e->lookups[1]);
	LIST_REMOVE(e, link);
	e->b->entry_count--;
	free(e);
}

void
dns_bootstrap_begin(struct dns_bootstrap *b)
{
	b->reading++;
}

void
dns_bootstrap_end(struct dns_bootstrap *b, bool taken)
{
	struct entry *e, *next;

	for (e = LIST_FIRST(&b->entries); e != NULL; e = next) {
		next = LIST_NEXT(e, link);
		if (taken ? e->wanted != b->reading : e->born == b->reading)
			drop_entry(e);
	}
}

enum err
dns_bootstrap_find(struct dns_bootstrap *b, const struct dns_named *named,
    struct addr out[static 2 * DNS_BOOTSTRAP_ADDRS_MAX], size_t *count,
    enum dns_bootstrap_state *state)
{
	struct entry *e = find_entry(b, &named->name);

	*count = 0;
	if (e == NULL) {
		enum err err = add_entry(b, &named->name, &e);

		if (err != OK)
			return err;
	}
	e->wanted = b->reading;
	for (size_t i = 0; i < 2; i++)
		for (size_t k = 0; k < e->lookups[i].count; k++) {
			out[*count] = e->lookups[i].addrs[k];
			addr_set_port(&out[(*count)++], named->port);
		}
	*state = state_of(e);
	return OK;
}

/* --- life ------------------------------------------------------------------------------------- */

static void
look_again(struct dns_bootstrap *b, bool known_too)
{
	struct entry *e;

	LIST_FOREACH(e, &b->entries, link) {
		if (state_of(e) == DNS_BOOTSTRAP_KNOWN && !known_too)
			continue;
		for (size_t i = 0; i < 2; i++) {
			struct lookup *l = &e->lookups[i];

			stop(l);
			l->failed = 0;
			l->rest = REST_FIRST;
			rest(l, 0);
		}
	}
}

void
dns_bootstrap_again(struct dns_bootstrap *b)
{
	look_again(b, true);
}

static void
drop_servers(struct dns_bootstrap *b)
{
	for (size_t i = 0; i < b->server_count; i++)
		dns_upstream_drop(b->env.up, b->servers[i]);
	b->server_count = 0;
}

void
dns_bootstrap_adopt(struct dns_bootstrap *b, struct dns_server *const *servers, size_t count)
{
	drop_servers(b);
	for (size_t i = 0; i < count; i++)
		b->servers[b->server_count++] = servers[i];
	look_again(b, false);
}

enum err
dns_bootstrap_new(struct dns_bootstrap **out, const struct dns_bootstrap_env *env)
{
	struct dns_bootstrap *b = calloc(1, sizeof(*b));

	if (b == NULL)
		return ERR_NOMEM;
	b->env = *env;
	if (b->env.ttl_min == 0)
		b->env.ttl_min = DNS_BOOTSTRAP_TTL_MIN;
	b->news.run = tell;
	LIST_INIT(&b->entries);
	*out = b;
	return OK;
}

void
dns_bootstrap_free(struct dns_bootstrap *b)
{
	if (b == NULL)
		return;
	while (!LIST_EMPTY(&b->entries))
		drop_entry(LIST_FIRST(&b->entries));
	drop_servers(b);
	loop_undefer(b->env.loop, &b->news);
	free(b);
}

static void
report_entry(const struct entry *e, struct report *out, mono_us now)
{
	static const char *const states[] = { "asking", "failing", "none", "known" };
	char name[DNS_NAME_TEXT_MAX], addr[ADDR_TEXT_MAX];
	struct report *list;
	mono_us next = MONO_NEVER;
	uint64_t answers = 0, failures = 0, beyond = 0;

	report_str(out, "name", dns_name_format(dns_name_span(&e->name), name));
	report_str(out, "state", states[state_of(e)]);
	list = report_list(out, "addresses");
	for (size_t i = 0; i < 2; i++) {
		const struct lookup *l = &e->lookups[i];

		for (size_t k = 0; k < l->count; k++)
			report_str(list, NULL, addr_format_host(&l->addrs[k], addr));
		if (timer_running(&l->due))
			next = mono_earlier(next, l->due.at);
		answers += l->answers;
		failures += l->failures;
		beyond += l->beyond;
	}
	if (next != MONO_NEVER)
		report_i64(out, "next_s", next > now ? (next - now) / seconds(1) : 0);
	report_u64(out, "answers", answers);
	report_u64(out, "failures", failures);
	report_u64(out, "addresses_beyond", beyond);
}

void
dns_bootstrap_report(const struct dns_bootstrap *b, struct report *out)
{
	struct report *list = report_list(out, "bootstrap");
	const struct entry *e;

	for (size_t i = 0; i < b->server_count; i++)
		report_str(list, NULL, dns_server_text(b->servers[i]));
	list = report_list(out, "names");
	LIST_FOREACH(e, &b->entries, link)
		report_entry(e, report_object(list, NULL), loop_now(b->env.loop));
}
