/* SPDX-License-Identifier: MIT */
/*
 * Blocks, each with a load at a time. What changes while a load is under way leads to another one
 * after it. A set is put in force in the loop's thread, by one pointer; the one before is released
 * in the pool, as giving back a hundred megabytes takes a while.
 */
#include "services/dns/dns_lists.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "core/log.h"
#include "core/loop.h"
#include "services/dns/dns_lists_impl.h"
#include "services/dns/dns_rebind.h"

#define GATHER millis(20)	/* several files of a block may change at once */
#define RETRY  seconds(1)	/* the pool was full, or memory short, or a file in work */

/* --- releasing -------------------------------------------------------------------------------- */

/* A set to be freed away from the loop. */
struct release_job {
	struct offload_job job;		/* first */
	struct dns_list *list;
};

static void
release_work(struct offload_job *j)
{
	struct release_job *job = (struct release_job *)j;

	dns_list_free(job->list);
	job->list = NULL;
}

static void
release_done(struct offload_job *j)
{
	struct release_job *job = (struct release_job *)j;

	dns_list_free(job->list);	/* the pool has ended first */
	free(job);
}

static void
release(struct dns_lists *l, struct dns_list *list)
{
	struct release_job *job;

	if (list == NULL)
		return;
	job = calloc(1, sizeof(*job));
	if (job != NULL) {
		job->job.work = release_work;
		job->job.done = release_done;
		job->list = list;
		if (offload_submit(l->env.offload, &job->job) == OK)
			return;
		free(job);
	}
	dns_list_free(list);
}

/* --- loads ------------------------------------------------------------------------------------ */

/* Put the set of a load in force, or leave the one that is. */
static void
conclude(struct lists_block *b, struct lists_load *ld)
{
	size_t files = b->in->file_count;
	uint64_t good = 0;
	bool kept, in_work = false;

	if (ld->unchanged)
		return;
	b->took = loop_clock(b->owner->env.loop) - ld->begun;
	for (size_t i = 0; i < files; i++) {
		good |= ld->files[i].state == LISTS_OK ? UINT64_C(1) << i : 0;
		in_work = in_work || ld->files[i].state == LISTS_IN_WORK;
	}
	kept = ld->e != OK || (good & b->good) != b->good;
	if (ld->e != OK || in_work)
		loop_timer(b->owner->env.loop, &b->timer, loop_now(b->owner->env.loop) + RETRY);
	if (in_work && kept)
		return;		/* nothing to be told: somebody is writing it */
	lists_log_load(b, ld, kept);
	b->e = ld->e;
	memcpy(b->files, ld->files, (files + 1) * sizeof(*b->files));
	if (kept) {
		b->kept++;
		return;
	}
	b->loads++;
	b->good = good;
	for (size_t i = 0; i < files; i++)
		b->prints[i] = ld->files[i].print;
	release(b->owner, dns_filter_swap(b->owner->filter, b->index, ld->list));
	ld->list = NULL;
}

/* A load is over: take what it brought and let it go. */
static void
end_load(struct lists_load *ld)
{
	struct lists_block *b = ld->owner;

	if (b != NULL) {
		b->load = NULL;
		if (!ld->job.cancelled)
			conclude(b, ld);
		release(b->owner, ld->list);	/* where it was not taken */
		ld->list = NULL;
		if (b->dirty && !ld->job.cancelled)
			loop_timer(b->owner->env.loop, &b->timer,
			    loop_now(b->owner->env.loop) + GATHER);
		b->dirty = false;
	}
	lists_load_free(ld);
}

static void
load_done(struct offload_job *j)
{
	end_load((struct lists_load *)j);
}

static struct lists_load *
new_load(struct lists_block *b)
{
	struct lists_load *ld = calloc(1, sizeof(*ld));

	if (ld == NULL)
		return NULL;
	ld->job.work = lists_load_work;
	ld->job.done = load_done;
	ld->owner = b;
	ld->in = b->in;
	ld->in->holders++;
	ld->begun = loop_clock(b->owner->env.loop);
	ld->good = b->good;
	if (b->in->file_count != 0)
		memcpy(ld->before, b->prints, b->in->file_count * sizeof(*b->prints));
	memcpy(ld->key, b->owner->env.key, sizeof(ld->key));
	return ld;
}

/* Read the block's files in the pool; later, where that is not possible now. */
static void
start_load(struct lists_block *b)
{
	struct loop *loop = b->owner->env.loop;

	if (b->load != NULL) {
		b->dirty = true;
		return;
	}
	b->load = new_load(b);
	if (b->load != NULL && offload_submit(b->owner->env.offload, &b->load->job) == OK)
		return;
	if (b->load != NULL)
		lists_load_free(b->load);
	b->load = NULL;
	loop_timer(loop, &b->timer, loop_now(loop) + RETRY);
}

/* Read them here and now. */
static void
load_now(struct lists_block *b)
{
	struct lists_load *ld = new_load(b);

	if (ld == NULL) {
		start_load(b);
		return;
	}
	lists_load_work(&ld->job);
	end_load(ld);
}

static void
on_timer(struct timer *t, mono_us now)
{
	(void)now;
	start_load((struct lists_block *)t);
}

static void
on_change(struct watch *w)
{
	struct lists_block *b = ((struct lists_watch *)w)->owner;

	if (b->load != NULL)
		b->dirty = true;
	else if (!timer_running(&b->timer))
		loop_timer(b->owner->env.loop, &b->timer, loop_now(b->owner->env.loop) + GATHER);
}

/* --- blocks ----------------------------------------------------------------------------------- */

static void
free_block(struct lists_block *b)
{
	if (b == NULL)
		return;
	for (size_t i = 0; b->watches != NULL && i < b->in->file_count; i++)
		watch_stop(&b->watches[i].watch);
	loop_timer_cancel(b->owner->env.loop, &b->timer);
	if (b->load != NULL)
		b->load->owner = NULL;	/* it goes by itself when the pool is done with it */
	lists_inputs_drop(b->in);
	free(b->watches);
	free(b->prints);
	free(b->files);
	free(b);
}

static struct lists_block *
new_block(struct dns_lists *l, struct lists_inputs *in)
{
	struct lists_block *b = calloc(1, sizeof(*b));

	if (b == NULL)
		return NULL;
	b->timer.fire = on_timer;
	b->owner = l;
	b->in = in;
	in->holders++;
	b->files = calloc(in->file_count + 1, sizeof(*b->files));
	b->prints = calloc(in->file_count + 1, sizeof(*b->prints));
	b->watches = calloc(in->file_count + 1, sizeof(*b->watches));
	if (b->files == NULL || b->prints == NULL || b->watches == NULL) {
		free_block(b);
		return NULL;
	}
	return b;
}

/* Follow the files of a new block; each watch calls once when it stands. */
static void
watch_files(struct lists_block *b)
{
	for (size_t i = 0; i < b->in->file_count; i++) {
		struct lists_watch *w = &b->watches[i];
		enum err e;

		w->owner = b;
		w->watch.changed = on_change;
		e = watch_start(b->owner->env.watcher, &w->watch, b->in->files[i]);
		if (e == OK)
			continue;
		log_event(b->owner->env.log, LOG_LEVEL_WARNING, b->owner->env.service,
		    "a list cannot be followed: changes are seen at reload only",
		    LOG_STR("file", b->in->files[i]), LOG_STR("reason", err_text(e)));
		start_load(b);
	}
}

/* --- settings --------------------------------------------------------------------------------- */

/* The block in force that has the same inputs and was not taken yet, or NULL. */
static struct lists_block *
find_same(struct dns_lists *l, const struct lists_inputs *in, struct lists_block *const *taken,
    size_t count)
{
	for (size_t i = 0; i < l->count; i++) {
		struct lists_block *b = l->blocks[i];
		bool free_still = true;

		for (size_t k = 0; k < count; k++)
			free_still = free_still && taken[k] != b;
		if (free_still && lists_inputs_equal(b->in, in))
			return b;
	}
	return NULL;
}

/*
 * The block of that title whose inputs have changed: its set serves until the new one is there.
 * Until then reasons may name the wrong file of it.
 */
static void
borrow_set(struct dns_lists *l, struct dns_filter *filter, size_t i)
{
	for (size_t k = 0; l->filter != NULL && k < dns_filter_count_blocks(l->filter); k++) {
		if (strcmp(dns_filter_title(l->filter, k), dns_filter_title(filter, i)) == 0 &&
		    dns_filter_list(l->filter, k) != NULL) {
			dns_filter_move(filter, i, l->filter, k);
			return;
		}
	}
}

struct dns_lists_change {
	struct lists_settings settings;
	struct dns_filter *filter;
	struct lists_block *blocks[DNS_FILTER_BLOCKS_MAX];
	bool is_new[DNS_FILTER_BLOCKS_MAX];
	size_t count;
};

static enum err
prepare(struct dns_lists *l, struct dns_lists_change *c)
{
	const struct lists_settings *s = &c->settings;
	struct dns_filter_block blocks[DNS_FILTER_BLOCKS_MAX];
	enum err e;

	for (size_t i = 0; i < s->count; i++)
		blocks[i] = s->blocks[i]->block;
	e = dns_filter_new(&c->filter, blocks, s->count, l->env.key);
	for (; e == OK && c->count < s->count; c->count++) {
		struct lists_inputs *in = s->blocks[c->count]->in;
		struct lists_block *b = find_same(l, in, c->blocks, c->count);

		c->is_new[c->count] = b == NULL;
		c->blocks[c->count] = b != NULL ? b : new_block(l, in);
		if (c->blocks[c->count] == NULL)
			return ERR_NOMEM;
	}
	return e;
}

enum err
dns_lists_prepare(struct dns_lists *l, const struct conf *cf, struct dns_lists_change **out)
{
	struct dns_lists_change *c = calloc(1, sizeof(*c));
	enum err e;

	*out = NULL;
	if (c == NULL)
		return ERR_NOMEM;
	e = lists_settings_read(&c->settings, &l->env, cf);
	if (e == OK)
		e = prepare(l, c);
	if (e != OK) {
		dns_lists_abandon(c);
		return e;
	}
	*out = c;
	return OK;
}

void
dns_lists_abandon(struct dns_lists_change *c)
{
	if (c == NULL)
		return;
	for (size_t i = 0; i < c->count; i++)
		if (c->is_new[i])
			free_block(c->blocks[i]);
	dns_filter_free(c->filter);
	lists_settings_fini(&c->settings);
	free(c);
}

static bool
stays(const struct dns_lists_change *c, const struct lists_block *b)
{
	for (size_t i = 0; i < c->count; i++)
		if (c->blocks[i] == b)
			return true;
	return false;
}

/* Let new blocks take the place of the old ones, and their sets go along. */
static void
exchange_blocks(struct dns_lists *l, const struct dns_lists_change *c)
{
	struct dns_filter *before = l->filter;

	for (size_t i = 0; i < c->count; i++)
		if (!c->is_new[i])
			dns_filter_move(c->filter, i, before, c->blocks[i]->index);
	for (size_t i = 0; i < c->count; i++)
		if (c->is_new[i])
			borrow_set(l, c->filter, i);
	for (size_t i = 0; i < l->count; i++)
		if (!stays(c, l->blocks[i]))
			free_block(l->blocks[i]);
	for (size_t i = 0; before != NULL && i < dns_filter_count_blocks(before); i++)
		release(l, dns_filter_swap(before, i, NULL));
	dns_filter_free(before);
	l->filter = c->filter;
	l->count = c->count;
	memcpy(l->blocks, c->blocks, sizeof(l->blocks));
	for (size_t i = 0; i < l->count; i++)
		l->blocks[i]->index = (unsigned)i;
}

/* --- the clock -------------------------------------------------------------------------------- */

static void
set_time(struct dns_lists *l)
{
	time_t wall = time(NULL);
	struct tm tm;

	loop_timer_cancel(l->env.loop, &l->minute);
	if (!dns_filter_has_times(l->filter) || localtime_r(&wall, &tm) == NULL)
		return;
	dns_filter_set_time(l->filter, (struct dns_moment){ .day = (unsigned)(tm.tm_wday + 6) % 7,
		.minute = (unsigned)(tm.tm_hour * 60 + tm.tm_min) });
	loop_timer(l->env.loop, &l->minute,
	    loop_now(l->env.loop) + seconds(tm.tm_sec < 60 ? 60 - tm.tm_sec : 1));
}

static void
on_minute(struct timer *t, mono_us now)
{
	(void)now;
	set_time((struct dns_lists *)t);
}

/* --- life ------------------------------------------------------------------------------------- */

enum err
dns_lists_new(struct dns_lists **out, const struct dns_lists_env *env)
{
	struct dns_lists *l = calloc(1, sizeof(*l));

	if (l == NULL)
		return ERR_NOMEM;
	l->env = *env;
	l->minute.fire = on_minute;
	*out = l;
	return OK;
}

void
dns_lists_free(struct dns_lists *l)
{
	if (l == NULL)
		return;
	loop_timer_cancel(l->env.loop, &l->minute);
	for (size_t i = 0; i < l->count; i++)
		free_block(l->blocks[i]);
	dns_filter_free(l->filter);
	dns_list_free(l->exempt);
	free(l);
}

void
dns_lists_commit(struct dns_lists *l, struct dns_lists_change *c, bool wait)
{
	exchange_blocks(l, c);
	(void)dns_filter_swap_allowed(l->filter, c->settings.allowed);
	dns_list_free(l->exempt);
	l->exempt = c->settings.exempt;
	l->rebind = c->settings.rebind;
	c->settings.allowed = c->settings.exempt = NULL;
	lists_settings_fini(&c->settings);
	set_time(l);
	for (size_t i = 0; i < c->count; i++) {
		if (!c->is_new[i])
			continue;
		if (wait || l->blocks[i]->in->file_count == 0)
			load_now(l->blocks[i]);
		watch_files(l->blocks[i]);
	}
	free(c);
}

struct dns_filter *
dns_lists_filter(const struct dns_lists *l)
{
	return l->filter;
}

bool
dns_lists_guards(const struct dns_lists *l, struct span lower)
{
	struct dns_list_match match;
	struct dns_trail t;

	if (!l->rebind || dns_rebind_is_house_name(lower))
		return false;
	dns_trail_of(&t, lower, dns_list_has_tops(l->exempt), l->env.key);
	return !dns_list_find(l->exempt, DNS_LIST_ALLOW, &t, &match);
}
