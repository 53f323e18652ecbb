/* SPDX-License-Identifier: MIT */
/* What lists say about themselves: log lines when one was read, counters for status. */
#include "services/dns/dns_lists_impl.h"

#include <string.h>

#include "core/log.h"

static const char *const state_names[] = {
	[LISTS_NOT_READ] = "not read",
	[LISTS_OK] = "read",
	[LISTS_UNREADABLE] = "cannot be read",
	[LISTS_NO_FILE] = "not a file",
	[LISTS_NO_LIST] = "not a list",
	[LISTS_TOO_LONG] = "longer than 1 GiB",
	[LISTS_IN_WORK] = "being written",
};

static const char *
reason(const struct lists_file *f)
{
	if (f->state == LISTS_UNREADABLE)
		return strerror(f->sys);
	if (f->state == LISTS_NO_LIST)
		return f->stats.bytes == 0 ? "empty; a line with # makes a list empty on purpose"
					   : "more lines that make no sense than names";
	return state_names[f->state];
}

/* Say what is wrong with a file, once: again only when it has changed. */
static void
log_trouble(const struct lists_block *b, const char *path, const struct lists_file *f,
    const struct lists_file *before, bool kept)
{
	const struct dns_lists_env *env = &b->owner->env;

	if (f->state == before->state && f->sys == before->sys)
		return;
	if (f->state != LISTS_OK)
		log_event(env->log, LOG_LEVEL_WARNING, env->service, "a list cannot be used",
		    LOG_STR("block", dns_filter_title(b->owner->filter, b->index)),
		    LOG_STR("file", path), LOG_STR("reason", reason(f)),
		    LOG_STR("instead", kept ? "what was read before stays in force"
					    : "the block goes without it"));
	else if (before->state != LISTS_NOT_READ)
		log_event(env->log, LOG_LEVEL_NOTICE, env->service, "a list can be used again",
		    LOG_STR("file", path));
}

/* Say how many lines were left out, and the first few of them. */
static void
log_lines(const struct lists_block *b, const char *path, const struct lists_file *f,
    const struct lists_file *before)
{
	const struct dns_lists_env *env = &b->owner->env;
	const struct dns_listfile_stats *st = &f->stats;

	if (st->invalid + st->unsupported == 0 || (before->stats.invalid == st->invalid &&
	    before->stats.unsupported == st->unsupported))
		return;
	log_event(env->log, LOG_LEVEL_NOTICE, env->service, "lines of a list were left out",
	    LOG_STR("file", path), LOG_U64("no_names", st->invalid),
	    LOG_U64("more_than_names", st->unsupported), LOG_U64("used", st->names + st->patterns));
	for (unsigned i = 0; i < st->nfindings; i++)
		log_event(env->log, LOG_LEVEL_INFO, env->service, "left out", LOG_STR("file", path),
		    LOG_U64("line", st->finding[i].line), LOG_STR("reason", st->finding[i].why),
		    LOG_SPAN("text", span_of(st->finding[i].text, st->finding[i].len)));
}

static void
log_list(const struct lists_block *b, const struct dns_list *list)
{
	const struct dns_lists_env *env = &b->owner->env;
	const struct dns_list_stats *st = dns_list_stats(list);
	const char *title = dns_filter_title(b->owner->filter, b->index);

	log_event(env->log, LOG_LEVEL_INFO, env->service, "a block is in force",
	    LOG_STR("block", title),
	    LOG_U64("names", st->names[DNS_LIST_BLOCK]),
	    LOG_U64("allowed", st->names[DNS_LIST_ALLOW]),
	    LOG_U64("patterns", st->patterns), LOG_U64("bytes", st->bytes),
	    LOG_I64("ms", b->took / 1000));
	if (st->refused != 0)
		log_event(env->log, LOG_LEVEL_WARNING, env->service,
		    "a block has too many names (block-names-max): some are left out",
		    LOG_STR("block", title), LOG_U64("left_out", st->refused));
}

void
lists_log_load(const struct lists_block *b, const struct lists_load *ld, bool kept)
{
	const struct dns_lists_env *env = &b->owner->env;

	if (ld->e != OK && ld->e != b->e)
		log_event(env->log, LOG_LEVEL_ERR, env->service, "a block cannot be made",
		    LOG_STR("block", dns_filter_title(b->owner->filter, b->index)),
		    LOG_STR("reason", err_text(ld->e)));
	for (size_t i = 0; i < b->in->file_count && ld->e == OK; i++) {
		log_trouble(b, b->in->files[i], &ld->files[i], &b->files[i], kept);
		if (ld->files[i].state == LISTS_OK)
			log_lines(b, b->in->files[i], &ld->files[i], &b->files[i]);
	}
	if (!kept)
		log_list(b, ld->list);
}

/* --- counters --------------------------------------------------------------------------------- */

static void
report_files(const struct lists_block *b, struct report *out)
{
	for (size_t i = 0; i <= b->in->file_count; i++) {
		const struct lists_file *f = &b->files[i];
		struct report *o;

		if (i == b->in->file_count && b->in->name_count == 0)
			continue;
		o = report_object(out, NULL);
		if (i < b->in->file_count)
			report_span(o, "file", span_str(b->in->files[i]));
		else
			report_str(o, "file", "settings");
		report_str(o, "state", f->state == LISTS_OK ? "read" : reason(f));
		report_u64(o, "lines", f->stats.lines);
		report_u64(o, "names", f->stats.names);
		report_u64(o, "patterns", f->stats.patterns);
		report_u64(o, "no_names", f->stats.invalid);
		report_u64(o, "more_than_names", f->stats.unsupported);
		report_u64(o, "hits", dns_filter_hits(b->owner->filter, b->index, i));
	}
}

static void
report_set(const struct dns_list *list, struct report *out)
{
	const struct dns_list_stats *st = dns_list_stats(list);

	report_u64(out, "names", st->names[DNS_LIST_BLOCK]);
	report_u64(out, "names_allowed", st->names[DNS_LIST_ALLOW]);
	report_u64(out, "patterns", st->patterns);
	report_u64(out, "patterns_left_out", st->patterns_refused);
	report_u64(out, "duplicates", st->duplicates);
	report_u64(out, "covered", st->covered);
	report_u64(out, "left_out", st->refused);
	report_u64(out, "bytes", st->bytes);
}

static void
report_block(const struct lists_block *b, struct report *out)
{
	const struct dns_filter *filter = b->owner->filter;
	const struct dns_filter_stats *st = dns_filter_stats(filter, b->index);
	const struct dns_list *list = dns_filter_list(filter, b->index);

	report_str(out, "block", dns_filter_title(filter, b->index));
	report_u64(out, "blocked", st->blocked);
	report_u64(out, "by_alias", st->aliases);
	report_u64(out, "allowed", st->allowed);
	report_u64(out, "patterns_given_up", st->gave_up);
	if (list != NULL)
		report_set(list, out);
	report_bool(out, "loading", b->load != NULL);
	report_u64(out, "loads", b->loads);
	report_u64(out, "loads_kept_old", b->kept);
	report_i64(out, "load_ms", b->took / 1000);
	report_files(b, report_list(out, "files"));
}

void
dns_lists_report(const struct dns_lists *l, struct report *out)
{
	for (size_t i = 0; i < l->count; i++)
		report_block(l->blocks[i], report_object(out, NULL));
}
