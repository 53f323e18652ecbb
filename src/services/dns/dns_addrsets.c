/* SPDX-License-Identifier: MIT */
/*
 * One job at a time goes to the pool: a look at all sets, every ten seconds and at the start, or
 * elements of one set. Where the kernel refuses a batch, its elements are tried one by one, as one
 * that lies in a range of the owner's own would take the others down with it.
 */
#include "services/dns/dns_addrsets.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/log.h"
#include "core/loop.h"
#include "core/offload.h"
#include "services/dns/dns_lists.h"

#define LOOK_EVERY seconds(10)
#define RETRY      millis(20)	/* the pool was full */
#define EVERY_NAME "."		/* in domains */

/* What came of looking a set up. */
struct look {
	enum err e;
	int sys;
	struct addrset_info info;
};

struct add_job {
	struct offload_job job;		/* first */
	struct dns_addrsets *owner;	/* NULL: gone */
	unsigned version;		/* of the settings it is about */
	struct addrset_kernel *kernel;	/* open from the first job on */
	size_t set_count;		/* to be looked up, all of them or only .set */
	struct addrset_id ids[DNS_ADDRSET_SETS_MAX];
	struct look looks[DNS_ADDRSET_SETS_MAX];
	bool all;
	size_t set;
	size_t count;			/* elements for it */
	struct addrset_element elements[ADDRSET_BATCH_MAX];
	size_t refused;			/* of them; these stand first then */
	bool full;			/* for some, as the set has no room */
};

struct set_state {
	enum err e;
	bool known;		/* it has been looked up */
	struct addrset_info info;	/* as it was last */
	uint64_t added, refused;
	bool full;		/* it has been told that it has no room */
};

struct dns_addrsets {
	struct dns_addrsets_env env;
	struct dns_addrset *as;		/* NULL: none */
	uint64_t before;		/* tickets that those of earlier settings gave out */
	unsigned version;
	struct add_job *job;
	bool at_work;
	bool look;			/* all sets are to be looked up */
	struct timer timer;		/* when they are the next time */
	struct set_state states[DNS_ADDRSET_SETS_MAX];
};

const char *const dns_addrsets_keys[ADDRSET_KINDS] = {
	[ADDRSET_NFT] = "nftset",
	[ADDRSET_IPSET] = "ipset",
};

static const char *const timeouts[] = { "ttl", "set", NULL };

enum { TIMEOUT_TTL, TIMEOUT_SET };

static const char *
check_domain(const char *value)
{
	return strcmp(value, EVERY_NAME) == 0 ? NULL : dns_lists_check_name(value);
}

const struct conf_key dns_addrsets_section_keys[] = {
	{ .name = "domains", .type = CONF_STRING, .flags = CONF_LIST, .check = check_domain,
	    .help = "the names, each with all below it; \".\": every name" },
	{ .name = "timeout", .type = CONF_ENUM, .value = "ttl", .choices = timeouts,
	    .help = "how long an address stays in a set with timeouts: as its record says, or as "
	    "the set does; in other sets it stays for ever" },
	{ .name = "min-timeout", .type = CONF_DURATION, .value = "1m", .min = 1000000,
	    .max = INT64_C(86400000000), .help = "at least so long, where the record says" },
	{ 0 },
};

const char *
dns_addrsets_check_nftset(const char *title)
{
	struct addrset_id id;

	if (!addrset_is_built(ADDRSET_NFT))
		return "this hearthd was built without sets of nftables (./configure "
		    "--enable-nftables)";
	switch (addrset_id_parse(&id, ADDRSET_NFT, title)) {
	case OK:
		return NULL;
	case ERR_RANGE:
		return "names have at most 63 characters";
	default:
		return "a set is named by family, table and name: \"inet home vod\"";
	}
}

const char *
dns_addrsets_check_ipset(const char *title)
{
	struct addrset_id id;

	if (!addrset_is_built(ADDRSET_IPSET))
		return "this hearthd was built without sets of ipset (./configure --enable-ipset)";
	switch (addrset_id_parse(&id, ADDRSET_IPSET, title)) {
	case OK:
		return NULL;
	case ERR_RANGE:
		return "names have at most 31 characters";
	default:
		return "a set is named by one word: \"vod\"";
	}
}

/* --- settings --------------------------------------------------------------------------------- */

bool
dns_addrsets_wanted(const struct conf *cf)
{
	for (size_t kind = 0; kind < ADDRSET_KINDS; kind++)
		if (conf_count(cf, dns_addrsets_keys[kind]) != 0)
			return true;
	return false;
}

static enum err
read_set(const struct dns_addrsets *s, const struct conf *section, enum addrset_kind kind,
    struct dns_addrset_set *out)
{
	enum err e;

	*out = (struct dns_addrset_set){ 0 };
	e = addrset_id_parse(&out->id, kind, conf_title(section));
	out->timeout_min_s = (uint32_t)(conf_duration(section, "min-timeout") / seconds(1));
	out->ttl = conf_enum(section, "timeout") == TIMEOUT_TTL;
	for (size_t i = 0; i < conf_count(section, "domains"); i++)
		out->all |= strcmp(conf_str_at(section, "domains", i), EVERY_NAME) == 0;
	return e == OK ? dns_lists_read_names(&out->names, section, "domains", DNS_LIST_BLOCK,
	    s->env.key) : e;
}

/* Read the sections of one kind, behind the *count that were read before. */
static enum err
read_sets(const struct dns_addrsets *s, const struct conf *cf, enum addrset_kind kind,
    struct dns_addrset_set sets[static DNS_ADDRSET_SETS_MAX], size_t *count,
    struct dns_addrsets_place *bad)
{
	const char *key = dns_addrsets_keys[kind];

	for (size_t i = 0; i < conf_count(cf, key); i++) {
		enum err e;

		*bad = (struct dns_addrsets_place){ .key = key, .i = i };
		if (*count == DNS_ADDRSET_SETS_MAX)
			return ERR_FULL;
		e = read_set(s, conf_section(cf, key, i), kind, &sets[*count]);
		if (e != OK)
			return e;
		++*count;
	}
	return OK;
}

enum err
dns_addrsets_read(const struct dns_addrsets *s, const struct conf *cf, struct dns_addrset **out,
    struct dns_addrsets_place *bad)
{
	struct dns_addrset_set sets[DNS_ADDRSET_SETS_MAX];
	size_t count = 0;
	enum err e = OK;

	*out = NULL;
	for (size_t kind = 0; e == OK && kind < ADDRSET_KINDS; kind++)
		e = read_sets(s, cf, (enum addrset_kind)kind, sets, &count, bad);
	if (e == OK && count != 0)
		return dns_addrset_new(out, sets, count, s->env.key);
	while (count-- != 0)
		dns_list_free(sets[count].names);
	return e;
}

/* --- in the pool ------------------------------------------------------------------------------ */

/*
 * The set may have been made anew, for addresses of the other kind, since the elements were queued:
 * those that it cannot hold are refused, and move to the front.
 */
static void
refuse_others(struct add_job *j, const struct addrset_info *info)
{
	for (size_t i = 0; i < j->count; i++) {
		struct addrset_element e = j->elements[i];

		if (e.len == info->bytes)
			continue;
		j->elements[i] = j->elements[j->refused];
		j->elements[j->refused++] = e;
	}
}

/* Add what is left one by one; those that are refused move to the front. */
static void
add_each(struct add_job *j, const struct addrset_info *info)
{
	for (size_t i = j->refused; i < j->count; i++) {
		struct addrset_element one = j->elements[i];
		enum err e = addrset_add(j->kernel, &j->ids[j->set], info, &one, 1);

		j->full |= e == ERR_FULL;
		if (e == OK)
			continue;
		j->elements[i] = j->elements[j->refused];
		j->elements[j->refused++] = one;
	}
}

static void
add(struct add_job *j, const struct addrset_info *info)
{
	size_t left;

	refuse_others(j, info);
	left = j->count - j->refused;
	if (left != 0 && addrset_add(j->kernel, &j->ids[j->set], info, j->elements + j->refused,
	    left) != OK)
		add_each(j, info);
}

static void
work(struct offload_job *job)
{
	struct add_job *j = (struct add_job *)job;
	enum err e = j->kernel == NULL ? addrset_open(&j->kernel) : OK;

	for (size_t i = 0; i < j->set_count; i++) {
		struct look *l = &j->looks[i];

		if (!j->all && i != j->set)
			continue;
		l->e = e == OK ? addrset_describe(j->kernel, &j->ids[i], &l->info) : e;
		l->sys = errno;
	}
	j->refused = 0;
	j->full = false;
	if (j->count == 0)
		return;
	if (j->looks[j->set].e != OK)
		j->refused = j->count;
	else
		add(j, &j->looks[j->set].info);
}

/* --- in the loop ------------------------------------------------------------------------------ */

static void
free_job(struct add_job *j)
{
	if (j != NULL)
		addrset_close(j->kernel);
	free(j);
}

static void
log_look(const struct dns_addrsets *s, size_t i, const struct look *l)
{
	const struct addrset_id *id = dns_addrset_id(s->as, i);
	const char *key = dns_addrsets_keys[id->kind], *why;
	char set[ADDRSET_TEXT_MAX];

	addrset_id_text(id, set);
	switch (l->e) {
	case OK:
		log_event(s->env.log, LOG_LEVEL_INFO, s->env.service, "a set is filled",
		    LOG_STR(key, set));
		return;
	case ERR_NOTFOUND:
		why = "there is none of that name";
		break;
	case ERR_DENIED:
		why = "not permitted: it takes CAP_NET_ADMIN at the start";
		break;
	case ERR_RANGE:
		why = id->kind == ADDRSET_NFT
		    ? "it is no set of addresses (type ipv4_addr or ipv6_addr)"
		    : "it is no set of addresses (type hash:ip, hash:net or bitmap:ip)";
		break;
	case ERR_UNSUPPORTED:
		why = "the kernel has no sets of this kind";
		break;
	default:
		why = strerror(l->sys);
		break;
	}
	log_event(s->env.log, LOG_LEVEL_WARNING, s->env.service, "a set cannot be filled",
	    LOG_STR(key, set), LOG_STR("reason", why));
}

/* A set has been looked up. Another one than before was made anew, and is empty. */
static void
take_look(struct dns_addrsets *s, size_t i, const struct look *l)
{
	struct set_state *st = &s->states[i];
	bool anew = l->e == OK && st->info.bytes != 0 &&
	    memcmp(l->info.made, st->info.made, sizeof(l->info.made)) != 0;

	if (!st->known || st->e != l->e)
		log_look(s, i, l);
	st->known = true;
	st->e = l->e;
	dns_addrset_allow(s->as, i, l->e == OK ? l->info.bytes : 0, l->info.timeouts);
	if (l->e == OK)
		st->info = l->info;
	if (anew)
		dns_addrset_again(s->as, i, loop_now(s->env.loop));
	else if (l->e == OK && l->info.empty)
		dns_addrset_emptied(s->as, i, loop_now(s->env.loop));
}

/* Once a set, as otherwise each answer would say so again. */
static void
log_full(const struct dns_addrsets *s, size_t i)
{
	const struct addrset_id *id = dns_addrset_id(s->as, i);
	char set[ADDRSET_TEXT_MAX];

	log_event(s->env.log, LOG_LEVEL_WARNING, s->env.service, "a set has no room for an address",
	    LOG_STR(dns_addrsets_keys[id->kind], addrset_id_text(id, set)));
}

/* What became of the elements of a job. */
static void
take_added(struct dns_addrsets *s, const struct add_job *j)
{
	struct set_state *st = &s->states[j->set];

	if (j->full && !st->full)
		log_full(s, j->set);
	st->full |= j->full;
	st->added += j->count - j->refused;
	st->refused += j->refused;
	dns_addrset_forget(s->as, j->set, j->elements, j->refused);
	dns_addrset_settle(s->as, j->count);
}

static void submit(struct dns_addrsets *s);

static void
done(struct offload_job *job)
{
	struct add_job *j = (struct add_job *)job;
	struct dns_addrsets *s = j->owner;

	if (s == NULL) {
		free_job(j);
		return;
	}
	s->at_work = false;
	if (s->as != NULL && j->version == s->version) {
		if (job->cancelled)
			j->refused = j->count;
		for (size_t i = 0; i < j->set_count && !job->cancelled; i++)
			if (j->all || i == j->set)
				take_look(s, i, &j->looks[i]);
		take_added(s, j);
	}
	s->env.settled(s->env.ctx);
	if (!job->cancelled)
		submit(s);
}

/* Hand over what there is to do, as long as the pool has nothing of ours. */
static void
submit(struct dns_addrsets *s)
{
	struct add_job *j = s->job;

	if (s->at_work || s->as == NULL || (!s->look && !dns_addrset_waiting(s->as)))
		return;
	j->version = s->version;
	j->all = s->look;
	j->set = 0;
	j->count = dns_addrset_take(s->as, &j->set, j->elements);
	j->set_count = dns_addrset_count(s->as);
	for (size_t i = 0; i < j->set_count; i++)
		j->ids[i] = *dns_addrset_id(s->as, i);
	s->at_work = offload_submit(s->env.offload, &j->job) == OK;
	if (s->at_work) {
		s->look = false;
		return;
	}
	/* The pool is full. The next answer tries these again; the others wait a little. */
	j->refused = j->count;
	j->full = false;
	take_added(s, j);
	loop_timer(s->env.loop, &s->timer, loop_now(s->env.loop) + RETRY);
}

static void
on_timer(struct timer *t, mono_us now)
{
	struct dns_addrsets *s =
	    (struct dns_addrsets *)((char *)t - offsetof(struct dns_addrsets, timer));

	s->look = true;
	loop_timer(s->env.loop, t, now + LOOK_EVERY);
	s->env.settled(s->env.ctx);	/* some may have been given up, as the pool was full */
	submit(s);
}

uint64_t
dns_addrsets_note(struct dns_addrsets *s, struct span lower, struct span msg, mono_us now)
{
	uint64_t ticket;

	if (s->as == NULL)
		return 0;
	ticket = dns_addrset_note(s->as, lower, msg, now);
	submit(s);
	return ticket != 0 ? s->before + ticket : 0;
}

uint64_t
dns_addrsets_settled(const struct dns_addrsets *s)
{
	return s->as != NULL ? s->before + dns_addrset_settled(s->as) : UINT64_MAX;
}

/* --- life ------------------------------------------------------------------------------------- */

enum err
dns_addrsets_new(struct dns_addrsets **out, const struct dns_addrsets_env *env)
{
	struct dns_addrsets *s = calloc(1, sizeof(*s));
	struct add_job *j = calloc(1, sizeof(*j));

	if (s == NULL || j == NULL) {
		free(s);
		free(j);
		return ERR_NOMEM;
	}
	j->job.work = work;
	j->job.done = done;
	j->owner = s;
	s->env = *env;
	s->job = j;
	s->timer.fire = on_timer;
	*out = s;
	return OK;
}

void
dns_addrsets_free(struct dns_addrsets *s)
{
	if (s == NULL)
		return;
	loop_timer_cancel(s->env.loop, &s->timer);
	if (s->at_work)
		s->job->owner = NULL;
	else
		free_job(s->job);
	dns_addrset_free(s->as);
	free(s);
}

void
dns_addrsets_commit(struct dns_addrsets *s, struct dns_addrset *as)
{
	if (s->as != NULL)
		s->before += dns_addrset_stats(s->as)->queued;
	dns_addrset_free(s->as);
	s->as = as;
	s->version++;
	memset(s->states, 0, sizeof(s->states));
	s->look = as != NULL;
	if (as != NULL)
		loop_timer(s->env.loop, &s->timer, loop_now(s->env.loop));
	else
		loop_timer_cancel(s->env.loop, &s->timer);
	s->env.settled(s->env.ctx);	/* whoever waits for the old ones has waited long enough */
}

/* What a set's state is called. */
static const char *
state_text(const struct set_state *st)
{
	return !st->known ? "not looked up" : st->e == OK ? "ok" : err_text(st->e);
}

bool
dns_addrsets_explain(const struct dns_addrsets *s, struct span lower, enum addrset_kind kind,
    char buf[static DNS_ADDRSETS_WHY_MAX])
{
	uint32_t sets = s->as != NULL ? dns_addrset_match(s->as, lower) : 0;
	size_t len = 0;

	for (; sets != 0 && len < DNS_ADDRSETS_WHY_MAX; sets &= sets - 1) {
		unsigned i = (unsigned)__builtin_ctz(sets);
		const struct addrset_id *id = dns_addrset_id(s->as, i);
		const struct set_state *st = &s->states[i];
		bool there = st->known && st->e == OK;
		char set[ADDRSET_TEXT_MAX];

		if (id->kind != kind)
			continue;
		len += (size_t)snprintf(buf + len, DNS_ADDRSETS_WHY_MAX - len, "%s%s%s%s%s",
		    len != 0 ? ", " : "", addrset_id_text(id, set), there ? "" : " (",
		    there ? "" : state_text(st), there ? "" : ")");
	}
	return len != 0;
}

static void
report_set(const struct dns_addrsets *s, size_t i, struct report *out)
{
	const struct addrset_id *id = dns_addrset_id(s->as, i);
	const struct set_state *st = &s->states[i];
	char set[ADDRSET_TEXT_MAX];

	report_str(out, dns_addrsets_keys[id->kind], addrset_id_text(id, set));
	report_str(out, "state", state_text(st));
	report_u64(out, "added", st->added);
	report_u64(out, "refused", st->refused);
}

void
dns_addrsets_report(const struct dns_addrsets *s, struct report *out)
{
	const struct dns_addrset_stats *st;
	struct report *list;

	if (s->as == NULL)
		return;
	st = dns_addrset_stats(s->as);
	report_u64(out, "matched", st->matched);
	report_u64(out, "queued", st->queued);
	report_u64(out, "dropped", st->dropped);
	report_u64(out, "added_again", st->again);
	report_u64(out, "other_family", st->other_family);
	report_u64(out, "absent", st->absent);
	list = report_list(out, "sets");
	for (size_t i = 0; i < dns_addrset_count(s->as); i++)
		report_set(s, i, report_object(list, NULL));
}
