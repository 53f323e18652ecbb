/* SPDX-License-Identifier: MIT */
/*
 * One job at a time goes to the pool: a look at all sets, every ten seconds and at the start, or
 * elements of one set. Where the kernel refuses a batch, its elements are tried one by one, as one
 * that lies in a range of the owner's own would take the others down with it.
 */
#include "services/dns/dns_nftsets.h"

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

/* What came of looking a set up. */
struct look {
	enum err e;
	int sys;
	struct nft_info info;
};

struct nft_job {
	struct offload_job job;		/* first */
	struct dns_nftsets *owner;	/* NULL: gone */
	unsigned version;		/* of the settings it is about */
	struct nft *nft;		/* open from the first job on */
	size_t set_count;		/* to be looked up, all of them or only .set */
	struct nft_id ids[DNS_NFTSET_SETS_MAX];
	struct look looks[DNS_NFTSET_SETS_MAX];
	bool all;
	size_t set;
	size_t count;			/* elements for it */
	struct nft_element elements[NFT_BATCH_MAX];
	size_t refused;			/* of them; these stand first then */
};

struct set_state {
	enum err e;
	bool known;		/* it has been looked up */
	struct nft_info info;	/* as it was last */
	uint64_t added, refused;
};

struct dns_nftsets {
	struct dns_nftsets_env env;
	struct dns_nftset *ns;		/* NULL: none */
	uint64_t before;		/* tickets that those of earlier settings gave out */
	unsigned version;
	struct nft_job *job;
	bool at_work;
	bool look;			/* all sets are to be looked up */
	struct timer timer;		/* when they are the next time */
	struct set_state states[DNS_NFTSET_SETS_MAX];
};

static const char *const timeouts[] = { "ttl", "set", NULL };

enum { TIMEOUT_TTL, TIMEOUT_SET };

const struct conf_key dns_nftsets_section_keys[] = {
	{ .name = "domains", .type = CONF_STRING, .flags = CONF_LIST, .check = dns_lists_check_name,
	    .help = "the names, each with all below it" },
	{ .name = "timeout", .type = CONF_ENUM, .value = "ttl", .choices = timeouts,
	    .help = "how long an address stays in a set with the flag timeout: as its record says, "
	    "or as the set does; in other sets it stays for ever" },
	{ .name = "min-timeout", .type = CONF_DURATION, .value = "1m", .min = 1000000,
	    .max = INT64_C(86400000000), .help = "at least so long, where the record says" },
	{ 0 },
};

const char *
dns_nftsets_check_title(const char *title)
{
	struct nft_id id;

	if (!nft_is_built())
		return "this hearthd was built without sets of nftables (./configure "
		    "--enable-nftables)";
	switch (nft_id_parse(&id, title)) {
	case OK:
		return NULL;
	case ERR_RANGE:
		return "names have at most 63 characters";
	default:
		return "a set is named by family, table and name: \"inet home vod\"";
	}
}

/* --- settings --------------------------------------------------------------------------------- */

enum err
dns_nftsets_read(const struct dns_nftsets *s, const struct conf *cf, struct dns_nftset **out,
    size_t *bad)
{
	struct dns_nftset_set sets[DNS_NFTSET_SETS_MAX];
	size_t count = 0;
	enum err e = OK;

	*out = NULL;
	*bad = DNS_NFTSET_SETS_MAX;
	if (conf_count(cf, "nftset") > DNS_NFTSET_SETS_MAX)
		return ERR_FULL;
	while (e == OK && count < conf_count(cf, "nftset")) {
		const struct conf *section = conf_section(cf, "nftset", count);
		struct dns_nftset_set *set = &sets[count];

		*set = (struct dns_nftset_set){
			.timeout_min_s =
			    (uint32_t)(conf_duration(section, "min-timeout") / seconds(1)),
			.ttl = conf_enum(section, "timeout") == TIMEOUT_TTL };
		e = nft_id_parse(&set->id, conf_title(section));
		if (e == OK)
			e = dns_lists_read_names(&set->names, section, "domains", DNS_LIST_BLOCK,
			    s->env.key);
		count += e == OK;
	}
	if (e == OK && count != 0)
		return dns_nftset_new(out, sets, count, s->env.key);
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
refuse_others(struct nft_job *j, const struct nft_info *info)
{
	for (size_t i = 0; i < j->count; i++) {
		struct nft_element e = j->elements[i];

		if (e.len == info->bytes)
			continue;
		j->elements[i] = j->elements[j->refused];
		j->elements[j->refused++] = e;
	}
}

/* Add what is left one by one; those that are refused move to the front. */
static void
add_each(struct nft_job *j, const struct nft_info *info)
{
	for (size_t i = j->refused; i < j->count; i++)
		if (nft_add(j->nft, &j->ids[j->set], info, &j->elements[i], 1) != OK)
			j->elements[j->refused++] = j->elements[i];
}

static void
add(struct nft_job *j, const struct nft_info *info)
{
	size_t left;

	refuse_others(j, info);
	left = j->count - j->refused;
	if (left != 0 && nft_add(j->nft, &j->ids[j->set], info, j->elements + j->refused,
	    left) != OK)
		add_each(j, info);
}

static void
work(struct offload_job *job)
{
	struct nft_job *j = (struct nft_job *)job;
	enum err e = j->nft == NULL ? nft_open(&j->nft) : OK;

	for (size_t i = 0; i < j->set_count; i++) {
		struct look *l = &j->looks[i];

		if (!j->all && i != j->set)
			continue;
		l->e = e == OK ? nft_describe(j->nft, &j->ids[i], &l->info) : e;
		l->sys = errno;
	}
	j->refused = 0;
	if (j->count == 0)
		return;
	if (j->looks[j->set].e != OK)
		j->refused = j->count;
	else
		add(j, &j->looks[j->set].info);
}

/* --- in the loop ------------------------------------------------------------------------------ */

static void
free_job(struct nft_job *j)
{
	if (j != NULL)
		nft_close(j->nft);
	free(j);
}

static void
log_look(const struct dns_nftsets *s, size_t i, const struct look *l)
{
	const struct nft_id *id = dns_nftset_id(s->ns, i);
	const char *why;

	switch (l->e) {
	case OK:
		log_event(s->env.log, LOG_LEVEL_INFO, s->env.service, "a set of nftables is filled",
		    LOG_STR("table", id->table), LOG_STR("set", id->set));
		return;
	case ERR_NOTFOUND:
		why = "there is none of that name";
		break;
	case ERR_DENIED:
		why = "not permitted: it takes CAP_NET_ADMIN at the start";
		break;
	case ERR_RANGE:
		why = "it is no set of addresses (type ipv4_addr or ipv6_addr)";
		break;
	default:
		why = strerror(l->sys);
		break;
	}
	log_event(s->env.log, LOG_LEVEL_WARNING, s->env.service,
	    "a set of nftables cannot be filled",
	    LOG_STR("table", id->table), LOG_STR("set", id->set), LOG_STR("reason", why));
}

/* A set has been looked up. Another one than before was made anew, and is empty. */
static void
take_look(struct dns_nftsets *s, size_t i, const struct look *l)
{
	struct set_state *st = &s->states[i];
	bool anew = l->e == OK && st->info.bytes != 0 &&
	    (l->info.table != st->info.table || l->info.set != st->info.set);

	if (!st->known || st->e != l->e)
		log_look(s, i, l);
	st->known = true;
	st->e = l->e;
	dns_nftset_allow(s->ns, i, l->e == OK ? l->info.bytes : 0, l->info.timeouts);
	if (l->e == OK)
		st->info = l->info;
	if (anew)
		dns_nftset_again(s->ns, i, loop_now(s->env.loop));
}

static void submit(struct dns_nftsets *s);

static void
done(struct offload_job *job)
{
	struct nft_job *j = (struct nft_job *)job;
	struct dns_nftsets *s = j->owner;

	if (s == NULL) {
		free_job(j);
		return;
	}
	s->at_work = false;
	if (s->ns != NULL && j->version == s->version) {
		if (job->cancelled)
			j->refused = j->count;
		for (size_t i = 0; i < j->set_count && !job->cancelled; i++)
			if (j->all || i == j->set)
				take_look(s, i, &j->looks[i]);
		s->states[j->set].added += j->count - j->refused;
		s->states[j->set].refused += j->refused;
		dns_nftset_forget(s->ns, j->set, j->elements, j->refused);
		dns_nftset_settle(s->ns, j->count);
	}
	s->env.settled(s->env.ctx);
	if (!job->cancelled)
		submit(s);
}

/* Hand over what there is to do, as long as the pool has nothing of ours. */
static void
submit(struct dns_nftsets *s)
{
	struct nft_job *j = s->job;

	if (s->at_work || s->ns == NULL || (!s->look && !dns_nftset_waiting(s->ns)))
		return;
	j->version = s->version;
	j->all = s->look;
	j->set = 0;
	j->count = dns_nftset_take(s->ns, &j->set, j->elements);
	j->set_count = dns_nftset_count(s->ns);
	for (size_t i = 0; i < j->set_count; i++)
		j->ids[i] = *dns_nftset_id(s->ns, i);
	s->at_work = offload_submit(s->env.offload, &j->job) == OK;
	if (s->at_work) {
		s->look = false;
		return;
	}
	/* The pool is full. The next answer tries these again; the others wait a little. */
	s->states[j->set].refused += j->count;
	dns_nftset_forget(s->ns, j->set, j->elements, j->count);
	dns_nftset_settle(s->ns, j->count);
	loop_timer(s->env.loop, &s->timer, loop_now(s->env.loop) + RETRY);
}

static void
on_timer(struct timer *t, mono_us now)
{
	struct dns_nftsets *s =
	    (struct dns_nftsets *)((char *)t - offsetof(struct dns_nftsets, timer));

	s->look = true;
	loop_timer(s->env.loop, t, now + LOOK_EVERY);
	s->env.settled(s->env.ctx);	/* some may have been given up, as the pool was full */
	submit(s);
}

uint64_t
dns_nftsets_note(struct dns_nftsets *s, struct span lower, struct span msg, mono_us now)
{
	uint64_t ticket;

	if (s->ns == NULL)
		return 0;
	ticket = dns_nftset_note(s->ns, lower, msg, now);
	submit(s);
	return ticket != 0 ? s->before + ticket : 0;
}

uint64_t
dns_nftsets_settled(const struct dns_nftsets *s)
{
	return s->ns != NULL ? s->before + dns_nftset_settled(s->ns) : UINT64_MAX;
}

/* --- life ------------------------------------------------------------------------------------- */

enum err
dns_nftsets_new(struct dns_nftsets **out, const struct dns_nftsets_env *env)
{
	struct dns_nftsets *s = calloc(1, sizeof(*s));
	struct nft_job *j = calloc(1, sizeof(*j));

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
dns_nftsets_free(struct dns_nftsets *s)
{
	if (s == NULL)
		return;
	loop_timer_cancel(s->env.loop, &s->timer);
	if (s->at_work)
		s->job->owner = NULL;
	else
		free_job(s->job);
	dns_nftset_free(s->ns);
	free(s);
}

void
dns_nftsets_commit(struct dns_nftsets *s, struct dns_nftset *ns)
{
	if (s->ns != NULL)
		s->before += dns_nftset_stats(s->ns)->queued;
	dns_nftset_free(s->ns);
	s->ns = ns;
	s->version++;
	memset(s->states, 0, sizeof(s->states));
	s->look = ns != NULL;
	if (ns != NULL)
		loop_timer(s->env.loop, &s->timer, loop_now(s->env.loop));
	else
		loop_timer_cancel(s->env.loop, &s->timer);
	s->env.settled(s->env.ctx);	/* whoever waits for the old ones has waited long enough */
}

bool
dns_nftsets_explain(const struct dns_nftsets *s, struct span lower,
    char buf[static DNS_NFTSETS_WHY_MAX])
{
	uint32_t sets = s->ns != NULL ? dns_nftset_match(s->ns, lower) : 0;
	size_t len = 0;

	for (; sets != 0 && len < DNS_NFTSETS_WHY_MAX; sets &= sets - 1) {
		unsigned i = (unsigned)__builtin_ctz(sets);
		const struct nft_id *id = dns_nftset_id(s->ns, i);

		len += (size_t)snprintf(buf + len, DNS_NFTSETS_WHY_MAX - len, "%s%s %s",
		    len != 0 ? ", " : "", id->table, id->set);
	}
	return len != 0;
}

static void
report_set(const struct dns_nftsets *s, size_t i, struct report *out)
{
	const struct nft_id *id = dns_nftset_id(s->ns, i);
	const struct set_state *st = &s->states[i];

	report_str(out, "table", id->table);
	report_str(out, "set", id->set);
	report_str(out, "state",
	    !st->known ? "not looked up" : st->e == OK ? "ok" : err_text(st->e));
	report_u64(out, "added", st->added);
	report_u64(out, "refused", st->refused);
}

void
dns_nftsets_report(const struct dns_nftsets *s, struct report *out)
{
	const struct dns_nftset_stats *st;
	struct report *list;

	if (s->ns == NULL)
		return;
	st = dns_nftset_stats(s->ns);
	report_u64(out, "matched", st->matched);
	report_u64(out, "queued", st->queued);
	report_u64(out, "dropped", st->dropped);
	report_u64(out, "added_again", st->again);
	list = report_list(out, "sets");
	for (size_t i = 0; i < dns_nftset_count(s->ns); i++)
		report_set(s, i, report_object(list, NULL));
}
