/* SPDX-License-Identifier: MIT */
/*
 * One reading at a time: a change while one is under way leads to another one after it. The set in
 * force and the reading it came from are not touched until the next one is complete, so that the
 * pool thread may look into them.
 */
#include "services/dns/dns_sources.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "core/log.h"
#include "core/loop.h"
#include "core/offload.h"
#include "core/watch.h"
#include "services/dns/dns_reading.h"

#define RETRY	     seconds(1)		/* the pool was full, or memory short */
#define EXPIRY_CHECK seconds(60)	/* look at the clock that often: it may be set */

struct source_watch {
	struct watch watch;	/* first */
	struct dns_sources *owner;
};

struct reading_job {
	struct offload_job job;		/* first */
	struct dns_sources *owner;	/* NULL: it has gone, and `last` is ours */
	struct dns_reading *last;	/* in force; NULL: none */
	struct dns_reading *out;	/* its plan is held */
	struct dns_plan *plan;
	bool force;
	int64_t wall_s;
	mono_us begun;
	uint8_t key[SEAL_SHORT_KEY_BYTES];
};

/* A reading to be released away from the loop: giving back 100 MB takes a while. */
struct release_job {
	struct offload_job job;		/* first */
	struct dns_reading *reading;
};

struct dns_sources {
	struct timer timer;		/* first: expiry of leases, or a retry */
	struct dns_sources_env env;
	struct dns_plan *plan;		/* to be read next */
	struct dns_reading *now;	/* in force; its plan is held */
	struct reading_job *job;	/* under way */
	bool again;			/* read once more after it */
	bool force;			/* and make a set whatever the files look like */
	struct source_watch *watches;
	size_t watch_count;
	uint64_t readings;		/* that made a set */
	uint64_t failures;		/* for want of memory */
	usec took;			/* the last one */
};

static void start_reading(struct dns_sources *s);

static int64_t
wall_now(const struct dns_sources *s)
{
	return s->env.wall != NULL ? s->env.wall(s->env.ctx) : (int64_t)time(NULL);
}

/* --- releasing -------------------------------------------------------------------------------- */

static void
free_reading(struct dns_reading *r)
{
	if (r == NULL)
		return;
	dns_reading_fini(r);
	free(r);
}

static void
release_work(struct offload_job *j)
{
	struct release_job *job = (struct release_job *)j;

	free_reading(job->reading);
	job->reading = NULL;
}

static void
release_done(struct offload_job *j)
{
	struct release_job *job = (struct release_job *)j;

	free_reading(job->reading);	/* the pool has ended first */
	free(job);
}

/* Let go of a reading that is not in force any more. */
static void
release(struct dns_sources *s, struct dns_reading *r)
{
	struct release_job *job;

	if (r == NULL)
		return;
	dns_plan_drop(r->plan);
	job = calloc(1, sizeof(*job));
	if (job != NULL) {
		job->job.work = release_work;
		job->job.done = release_done;
		job->reading = r;
		if (offload_submit(s->env.offload, &job->job) == OK)
			return;
		free(job);
	}
	free_reading(r);
}

/* --- the log ---------------------------------------------------------------------------------- */

static const char *
reason(const struct dns_source_file *f)
{
	switch (f->err) {
	case ERR_SYS:
	case ERR_NOTFOUND:
		return strerror(f->sys);
	case ERR_RANGE:
		return "larger than 64 MiB";
	case ERR_FORMAT:
		return "neither a file nor a directory";
	case ERR_UNSUPPORTED:
		return "not a lease file of dnsmasq, Kea, ISC dhcpd, odhcpd or networkd";
	default:
		return err_text(f->err);
	}
}

/* Say what is wrong with a file, once: again only when it has changed. */
static void
log_trouble(const struct dns_sources *s, const struct dns_source_file *f,
    const struct dns_source_file *before)
{
	enum err was = before != NULL ? before->err : OK;
	bool missing = f->err == ERR_NOTFOUND;

	if (f->err == was && (before == NULL || f->sys == before->sys))
		return;
	if (f->err == OK)
		log_event(s->env.log, LOG_LEVEL_NOTICE, s->env.service,
		    was == ERR_NOTFOUND ? "file is there now" : "file can be read again",
		    LOG_STR("file", f->path));
	else if (missing && before == NULL)
		log_event(s->env.log, LOG_LEVEL_INFO, s->env.service,
		    "file is not there; waiting for it", LOG_STR("file", f->path));
	else
		log_event(s->env.log, missing ? LOG_LEVEL_NOTICE : LOG_LEVEL_WARNING,
		    s->env.service, missing ? "file is gone" : "file cannot be read",
		    LOG_STR("file", f->path),
		    LOG_STR("reason", reason(f)), LOG_BOOL("names_kept", f->kept));
}

static void
log_bad_lines(const struct dns_sources *s, const struct dns_source_file *f,
    const struct dns_source_file *before)
{
	char at[4200];

	if (f->bad == 0 || (before != NULL && before->bad == f->bad &&
	    before->bad_line == f->bad_line && strcmp(before->complaint, f->complaint) == 0))
		return;
	snprintf(at, sizeof(at), "%s:%u", f->path, f->bad_line);
	log_event(s->env.log, LOG_LEVEL_WARNING, s->env.service,
	    "file has lines that make no sense", LOG_STR("first", at),
	    LOG_SPAN("reason", span_str(f->complaint)), LOG_U64("lines", f->bad));
}

static void
log_reading(const struct dns_sources *s, const struct dns_reading *r)
{
	const struct dns_local_stats *st = dns_local_stats(r->set);

	for (size_t i = 0; i < r->file_count; i++) {
		const struct dns_source_file *f = &r->files[i];
		const struct dns_source_file *before = dns_reading_file(s->now, f->path, f->kind);

		log_trouble(s, f, before);
		log_bad_lines(s, f, before);
	}
	if (st->dropped + r->leases_dropped + r->files_dropped != 0)
		log_event(s->env.log, LOG_LEVEL_WARNING, s->env.service,
		    "too many local names: some are left out", LOG_U64("records", st->dropped),
		    LOG_U64("leases", r->leases_dropped), LOG_U64("files", r->files_dropped));
	/* A DHCP server writes its file with every lease: that is no news. */
	log_event(s->env.log, s->readings == 1 ? LOG_LEVEL_INFO : LOG_LEVEL_DEBUG, s->env.service,
	    "local names are read",
	    LOG_U64("names", st->names), LOG_U64("leases", r->lease_count),
	    LOG_I64("ms", s->took / 1000));
}

/* --- a reading -------------------------------------------------------------------------------- */

static void
work(struct offload_job *j)
{
	struct reading_job *job = (struct reading_job *)j;

	dns_reading_make(job->out, job->plan, job->last, job->force, job->wall_s, job->key);
}

static struct reading_job *
new_job(struct dns_sources *s, void (*done)(struct offload_job *j))
{
	struct reading_job *job = calloc(1, sizeof(*job));

	if (job == NULL)
		return NULL;
	job->out = calloc(1, sizeof(*job->out));
	if (job->out == NULL) {
		free(job);
		return NULL;
	}
	job->job.work = work;
	job->job.done = done;
	job->owner = s;
	job->last = s->now;
	job->plan = dns_plan_take(s->plan);
	job->force = s->force || s->now == NULL;
	job->wall_s = wall_now(s);
	job->begun = loop_clock(s->env.loop);
	memcpy(job->key, s->env.key, sizeof(job->key));
	return job;
}

static void
free_job(struct reading_job *job)
{
	if (job->out != NULL) {
		dns_plan_drop(job->plan);
		free_reading(job->out);
	}
	free(job);
}

static void
set_timer(struct dns_sources *s)
{
	struct loop *l = s->env.loop;
	int64_t left;

	if (s->now == NULL || s->now->next_expiry == DNS_LEASE_FOREVER) {
		loop_timer_cancel(l, &s->timer);
		return;
	}
	left = s->now->next_expiry - wall_now(s);
	if (left < 0)
		left = 0;
	loop_timer(l, &s->timer, left < EXPIRY_CHECK / seconds(1) ? loop_now(l) + seconds(left)
								  : loop_now(l) + EXPIRY_CHECK);
}

/* Put a complete reading in force; the job keeps nothing of it. */
static void
install(struct dns_sources *s, struct reading_job *job)
{
	struct dns_reading *before = s->now;

	s->took = loop_clock(s->env.loop) - job->begun;
	s->readings++;
	log_reading(s, job->out);
	s->now = job->out;
	job->out = NULL;
	if (s->env.changed != NULL)
		s->env.changed(s->env.ctx);
	release(s, before);
	set_timer(s);
}

/* Take what a reading has brought. False where it could not be made. */
static bool
conclude(struct dns_sources *s, struct reading_job *job)
{
	if (job->out->err != OK) {
		s->failures++;
		log_note(s->env.log, LOG_LEVEL_ERR, s->env.service,
		    "cannot read the local names: %s", err_text(job->out->err));
		return false;
	}
	if (job->out->unchanged)
		set_timer(s);
	else
		install(s, job);
	return true;
}

static void
retry_later(struct dns_sources *s)
{
	loop_timer(s->env.loop, &s->timer, loop_now(s->env.loop) + RETRY);
}

static void
done(struct offload_job *j)
{
	struct reading_job *job = (struct reading_job *)j;
	struct dns_sources *s = job->owner;

	if (s == NULL) {
		if (job->last != NULL) {
			dns_plan_drop(job->last->plan);
			free_reading(job->last);
		}
		free_job(job);
		return;
	}
	s->job = NULL;
	if (!j->cancelled && !conclude(s, job)) {
		s->again = s->force = true;
		retry_later(s);
	} else if (!j->cancelled && s->again) {
		start_reading(s);
	}
	free_job(job);
}

/* Have everything read, now or after the reading that is under way. */
static void
start_reading(struct dns_sources *s)
{
	s->again = true;
	if (s->job != NULL || s->plan == NULL)
		return;
	s->job = new_job(s, done);
	if (s->job == NULL || offload_submit(s->env.offload, &s->job->job) != OK) {
		if (s->job != NULL)
			free_job(s->job);
		s->job = NULL;
		retry_later(s);
		return;
	}
	s->again = s->force = false;
}

static void
on_timer(struct timer *t, mono_us now)
{
	struct dns_sources *s = (struct dns_sources *)t;

	(void)now;
	if (s->now != NULL && s->now->next_expiry <= wall_now(s))
		s->force = true;
	if (s->force || s->again)
		start_reading(s);
	else
		set_timer(s);
}

/* --- watches ---------------------------------------------------------------------------------- */

static void
on_change(struct watch *w)
{
	start_reading(((struct source_watch *)w)->owner);
}

static void
stop_watches(struct dns_sources *s)
{
	for (size_t i = 0; i < s->watch_count; i++)
		watch_stop(&s->watches[i].watch);
	free(s->watches);
	s->watches = NULL;
	s->watch_count = 0;
}

static void
watch_paths(struct dns_sources *s, const char *const *paths, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		struct source_watch *w = &s->watches[s->watch_count++];

		w->owner = s;
		w->watch.changed = on_change;

		enum err e = watch_start(s->env.watcher, &w->watch, paths[i]);

		if (e != OK)
			log_event(s->env.log, LOG_LEVEL_WARNING, s->env.service,
			    "file cannot be followed", LOG_STR("file", paths[i]),
			    LOG_STR("reason", err_text(e)));
	}
}

static enum err
start_watches(struct dns_sources *s)
{
	const char *const *hosts, *const *leases;
	size_t nhosts = dns_plan_hosts(s->plan, &hosts);
	size_t nleases = dns_plan_leases(s->plan, &leases);
	struct source_watch *watches = calloc(nhosts + nleases + 1, sizeof(*watches));

	if (watches == NULL)
		return ERR_NOMEM;
	stop_watches(s);
	s->watches = watches;
	watch_paths(s, hosts, nhosts);
	watch_paths(s, leases, nleases);
	return OK;
}

/* --- outside ---------------------------------------------------------------------------------- */

enum err
dns_sources_new(struct dns_sources **out, const struct dns_sources_env *env)
{
	struct dns_sources *s = calloc(1, sizeof(*s));

	if (s == NULL)
		return ERR_NOMEM;
	s->env = *env;
	s->timer.fire = on_timer;
	*out = s;
	return OK;
}

void
dns_sources_free(struct dns_sources *s)
{
	if (s == NULL)
		return;
	stop_watches(s);
	loop_timer_cancel(s->env.loop, &s->timer);
	if (s->job != NULL) {
		s->job->owner = NULL;
	} else if (s->now != NULL) {
		dns_plan_drop(s->now->plan);
		free_reading(s->now);
	}
	dns_plan_drop(s->plan);
	free(s);
}

/* Read in this very thread. */
static enum err
read_now(struct dns_sources *s)
{
	struct reading_job *job = new_job(s, done);
	enum err e;

	if (job == NULL)
		return ERR_NOMEM;
	work(&job->job);
	e = job->out->err;
	if (conclude(s, job))
		s->again = s->force = false;
	free_job(job);
	return e;
}

enum err
dns_sources_use(struct dns_sources *s, struct dns_plan *plan, bool wait)
{
	struct dns_plan *before = s->plan;
	enum err e;

	s->plan = dns_plan_take(plan);
	s->force = true;
	e = start_watches(s);
	if (e == OK && wait && s->job == NULL)
		e = read_now(s);
	else if (e == OK)
		start_reading(s);
	if (e != OK) {
		s->plan = before;
		dns_plan_drop(plan);
		return e;
	}
	dns_plan_drop(before);
	return OK;
}

const struct dns_local *
dns_sources_set(const struct dns_sources *s)
{
	return s->now != NULL ? s->now->set : NULL;
}

/* --- report ----------------------------------------------------------------------------------- */

static void
report_file(const struct dns_source_file *f, struct report *out)
{
	report_str(out, "file", f->path);
	report_str(out, "kind", f->kind == DNS_SOURCE_HOSTS ? "hosts"
							    : dns_lease_format_name(f->format));
	report_str(out, "state", f->err == OK ? "read" : reason(f));
	report_bool(out, "names_kept", f->kept);
	report_u64(out, "names", f->names);
	report_u64(out, "bad_lines", f->bad);
	report_u64(out, "dropped", f->dropped);
}

void
dns_sources_report(const struct dns_sources *s, struct report *out)
{
	struct report *files;

	report_u64(out, "readings", s->readings);
	report_u64(out, "failures", s->failures);
	report_u64(out, "last_reading_us", (uint64_t)s->took);
	if (s->now == NULL)
		return;

	const struct dns_local_stats *st = dns_local_stats(s->now->set);

	report_u64(out, "names", st->names);
	report_u64(out, "records", st->records);
	report_u64(out, "bytes", st->bytes);
	report_u64(out, "leases", s->now->lease_count);
	report_u64(out, "leases_shadowed", st->shadowed);
	report_u64(out, "leases_refused", st->refused);
	report_u64(out, "records_dropped", st->dropped);
	report_u64(out, "leases_dropped", s->now->leases_dropped);
	report_u64(out, "files_dropped", s->now->files_dropped);
	files = report_list(out, "files");
	for (size_t i = 0; i < s->now->file_count; i++)
		report_file(&s->now->files[i], report_object(files, NULL));
}
