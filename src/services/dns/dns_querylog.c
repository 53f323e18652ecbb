/* SPDX-License-Identifier: MIT */
/*
 * Two buffers: lines are appended to one while the pool writes the other. The file is opened in the
 * pool, too, so that it is the daemon's user who opens it, and a slow disk holds up nobody.
 */
#include "services/dns/dns_querylog.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "core/log.h"
#include "core/loop.h"
#include "core/offload.h"
#include "core/report.h"
#include "services/dns/dns_msg.h"
#include "services/dns/dns_name.h"
#include "util/file.h"

#define FLUSH_AFTER millis(100)
#define FLUSH_AT    (DNS_QUERYLOG_BUFFER / 4)	/* bytes: worth a write of its own */

/* What the pool works with. The loop leaves it alone while at_work. */
struct writer {
	struct offload_job job;		/* first */
	struct dns_querylog *owner;	/* NULL: nobody waits for it any more */
	bool at_work;
	bool reopen;			/* close what is open and open path */
	bool torn;			/* the last write may have ended within a line */
	int fd;
	char path[PATH_MAX];
	char *buf;
	size_t len;
	char *rest;			/* lines left behind by the owner; NULL: none */
	size_t rest_len;
	uint64_t lines;
	enum err result;
	int cause;			/* errno where result is ERR_SYS */
};

struct dns_querylog {
	struct dns_querylog_env env;
	bool on;
	enum dns_querylog_format format;
	enum dns_privacy privacy;
	char path[PATH_MAX];		/* "": the daemon's log */
	bool path_changed;		/* the writer is to be told */
	struct timer flush;
	struct writer *writer;
	char *buf;			/* lines gather here */
	size_t len;
	uint64_t lines;
	bool complained;		/* since the last write that went well */
	bool finishing;
	struct dns_querylog_stats n;
};

/* --- the pool's side -------------------------------------------------------------------------- */

static enum err
write_buffer(struct writer *w)
{
	if (w->reopen && w->fd >= 0) {
		close(w->fd);
		w->fd = -1;
		w->torn = false;
	}
	w->reopen = false;
	if (w->fd < 0)
		w->fd = open(w->path,
		    O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOCTTY | O_NONBLOCK, 0640);
	if (w->fd < 0)
		return ERR_SYS;
	if (w->torn && file_write_all(w->fd, span_of("\n", 1)) != OK)
		return ERR_SYS;
	w->torn = true;
	if (file_write_all(w->fd, span_of(w->buf, w->len)) != OK)
		return ERR_SYS;
	w->torn = false;
	return OK;
}

static void
write_work(struct offload_job *job)
{
	struct writer *w = (struct writer *)job;

	w->result = write_buffer(w);
	w->cause = errno;
}

static void
writer_free(struct writer *w)
{
	if (w->fd >= 0)
		close(w->fd);
	free(w->buf);
	free(w->rest);
	free(w);
}

/* The owner is gone and so is the loop: what is left is written here and now. */
static void
write_rest(struct writer *w)
{
	if (w->rest_len == 0)
		return;
	memcpy(w->buf, w->rest, w->rest_len);
	w->len = w->rest_len;
	(void)write_buffer(w);
}

/* --- the loop's side -------------------------------------------------------------------------- */

/* The writer is back: count, complain once. */
static void
settle(struct dns_querylog *ql)
{
	struct writer *w = ql->writer;

	w->len = 0;
	if (w->result == OK) {
		ql->n.lines += w->lines;
		ql->complained = false;
		return;
	}
	ql->n.dropped += w->lines;
	ql->n.failures++;
	if (!ql->complained)
		log_event(ql->env.log, LOG_LEVEL_WARNING, ql->env.service, "querylog_not_written",
		    LOG_STR("file", w->path), LOG_STR("reason", strerror(w->cause)));
	ql->complained = true;
}

/* Give the gathered lines to the writer, who must be idle. */
static void
hand_over(struct dns_querylog *ql)
{
	struct writer *w = ql->writer;
	char *empty = w->buf;

	w->buf = ql->buf;
	w->len = ql->len;
	w->lines = ql->lines;
	ql->buf = empty;
	ql->len = 0;
	ql->lines = 0;
	if (ql->path_changed) {
		w->reopen = true;
		memcpy(w->path, ql->path, sizeof(w->path));
	}
	ql->path_changed = false;
}

static void
start_flush(struct dns_querylog *ql)
{
	struct writer *w = ql->writer;

	if (w->at_work || ql->len == 0)
		return;
	loop_timer_cancel(ql->env.loop, &ql->flush);
	hand_over(ql);
	w->at_work = offload_submit(ql->env.offload, &w->job) == OK;
	if (w->at_work)
		return;
	ql->n.dropped += w->lines;	/* the pool is full: the disk hangs */
	w->len = 0;
}

static void
close_idle(struct writer *w)
{
	if (w->fd >= 0)
		close(w->fd);
	w->fd = -1;
}

static void
write_done(struct offload_job *job)
{
	struct writer *w = (struct writer *)job;
	struct dns_querylog *ql = w->owner;

	w->at_work = false;
	if (job->cancelled)	/* the daemon is ending: there is nobody left to hold up */
		write_work(job);
	if (ql == NULL) {
		write_rest(w);
		writer_free(w);
		return;
	}
	settle(ql);
	if (ql->len >= FLUSH_AT)
		start_flush(ql);
	else if (ql->len != 0)
		loop_timer(ql->env.loop, &ql->flush, loop_now(ql->env.loop) + FLUSH_AFTER);
	else if (!ql->on || ql->path[0] == '\0')
		close_idle(w);
}

static void
on_flush(struct timer *t, mono_us now)
{
	struct dns_querylog *ql =
	    (struct dns_querylog *)((uint8_t *)t - offsetof(struct dns_querylog, flush));

	(void)now;
	start_flush(ql);
}

enum err
dns_querylog_new(struct dns_querylog **out, const struct dns_querylog_env *env)
{
	struct dns_querylog *ql = calloc(1, sizeof(*ql));

	if (ql == NULL)
		return ERR_NOMEM;
	ql->env = *env;
	ql->flush.fire = on_flush;
	*out = ql;
	return OK;
}

void
dns_querylog_free(struct dns_querylog *ql)
{
	if (ql == NULL)
		return;
	loop_timer_cancel(ql->env.loop, &ql->flush);
	if (ql->writer != NULL && ql->writer->at_work) {
		ql->writer->owner = NULL;
		ql->writer->rest = ql->buf;
		ql->writer->rest_len = ql->len;
		ql->buf = NULL;
	} else if (ql->writer != NULL) {
		if (ql->len != 0) {
			hand_over(ql);
			write_work(&ql->writer->job);
			settle(ql);
		}
		writer_free(ql->writer);
	}
	free(ql->buf);
	free(ql);
}

/* Memory for the file's lines, made when a file is first wanted. */
static bool
prepare_writer(struct dns_querylog *ql)
{
	struct writer *w;

	if (ql->writer != NULL)
		return true;
	w = calloc(1, sizeof(*w));
	if (w == NULL)
		return false;
	w->job = (struct offload_job){ .work = write_work, .done = write_done };
	w->owner = ql;
	w->fd = -1;
	w->buf = malloc(DNS_QUERYLOG_BUFFER);
	ql->buf = malloc(DNS_QUERYLOG_BUFFER);
	if (w->buf == NULL || ql->buf == NULL) {
		writer_free(w);
		free(ql->buf);
		ql->buf = NULL;
		return false;
	}
	ql->writer = w;
	return true;
}

void
dns_querylog_configure(struct dns_querylog *ql, const struct dns_querylog_opts *opts)
{
	bool to_file = opts->on && *opts->file != '\0';

	if (ql->len != 0)
		start_flush(ql);
	ql->on = opts->on;
	ql->format = opts->format;
	ql->privacy = opts->privacy;
	ql->path[0] = '\0';
	ql->complained = false;
	if (to_file && (strlen(opts->file) >= sizeof(ql->path) || !prepare_writer(ql))) {
		log_note(ql->env.log, LOG_LEVEL_WARNING, ql->env.service,
		    "no query log: out of memory, or the name of its file is too long");
		ql->on = false;
	} else if (to_file) {
		strcpy(ql->path, opts->file);
		ql->path_changed = true;
	} else if (ql->writer != NULL && !ql->writer->at_work) {
		close_idle(ql->writer);
	}
}

void
dns_querylog_reopen(struct dns_querylog *ql)
{
	if (ql->path[0] == '\0')
		return;
	if (ql->len != 0)
		start_flush(ql);
	ql->path_changed = true;
}

/* To the daemon's log, whose lines have their own time and format. */
static void
add_to_log(struct dns_querylog *ql, const struct dns_querylog_entry *e)
{
	char client[ADDR_TEXT_MAX], name[DNS_NAME_TEXT_MAX];
	char type[DNS_TYPE_TEXT_MAX], rcode[DNS_TYPE_TEXT_MAX];
	bool hidden = dns_querylog_hides_names(ql->privacy);
	struct span reason = hidden ? span_of(NULL, 0) : e->reason;

	ql->n.lines++;
	log_event(ql->env.log, LOG_LEVEL_INFO, ql->env.service, "query",
	    LOG_STR("client", dns_querylog_client(e->client, ql->privacy, client)),
	    LOG_STR("name", e->name.len == 0 || hidden ? "-" : dns_name_format(e->name, name)),
	    LOG_STR("type", e->name.len == 0 ? "-" : dns_type_format(e->type, type)),
	    LOG_STR("verdict", e->verdict),
	    LOG_STR("rcode", e->answered ? dns_rcode_format(e->rcode, rcode) : "-"),
	    LOG_I64("ms", e->took / 1000), LOG_STR("upstream", e->server != NULL ? e->server : "-"),
	    LOG_SPAN("reason", reason));
}

void
dns_querylog_add(struct dns_querylog *ql, const struct dns_querylog_entry *e)
{
	char line[DNS_QUERYLOG_LINE_MAX];
	struct timespec ts;

	if (!ql->on)
		return;
	if (ql->path[0] == '\0') {
		add_to_log(ql, e);
		return;
	}
	clock_gettime(CLOCK_REALTIME, &ts);

	size_t len = dns_querylog_compose(e, ql->format, ql->privacy,
	    (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000, line);

	if (len > DNS_QUERYLOG_BUFFER - ql->len) {
		ql->n.dropped++;
		return;
	}
	memcpy(ql->buf + ql->len, line, len);
	ql->len += len;
	ql->lines++;
	if (ql->len >= FLUSH_AT)
		start_flush(ql);
	else if (!timer_running(&ql->flush) && !ql->writer->at_work)
		loop_timer(ql->env.loop, &ql->flush, loop_now(ql->env.loop) + FLUSH_AFTER);
}

bool
dns_querylog_finish(struct dns_querylog *ql)
{
	/* Queries go on coming: what they add meanwhile is written by dns_querylog_free(). */
	if (!ql->finishing && ql->writer != NULL && !ql->writer->at_work) {
		ql->finishing = true;
		start_flush(ql);
	}
	return ql->writer != NULL && ql->writer->at_work;
}

const struct dns_querylog_stats *
dns_querylog_stats(const struct dns_querylog *ql)
{
	return &ql->n;
}

void
dns_querylog_report(const struct dns_querylog *ql, struct report *out)
{
	report_bool(out, "on", ql->on);
	report_u64(out, "lines", ql->n.lines);
	report_u64(out, "dropped", ql->n.dropped);
	report_u64(out, "failures", ql->n.failures);
}
