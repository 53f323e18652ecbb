/* SPDX-License-Identifier: MIT */
/*
 * Files to a set of names, away from the loop: a slice of each file in memory at a time. A file
 * that turns out to be no list is taken back out of the set in the making.
 */
#include "services/dns/dns_lists_impl.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define SLICE (256u << 10)	/* bytes */

static struct lists_print
print_of(const struct stat *st)
{
	return (struct lists_print){ .device = (uint64_t)st->st_dev, .inode = (uint64_t)st->st_ino,
		.size = (uint64_t)st->st_size, .seconds = st->st_mtim.tv_sec,
		.nanos = st->st_mtim.tv_nsec };
}

static bool
same_print(const struct lists_print *a, const struct lists_print *b)
{
	return a->device == b->device && a->inode == b->inode && a->size == b->size &&
	    a->seconds == b->seconds && a->nanos == b->nanos;
}

/* All files of the set in force are there and what they were, and no other one has come. */
static bool
nothing_new(const struct lists_load *ld)
{
	if (ld->in->file_count == 0 || ld->good != (UINT64_C(1) << ld->in->file_count) - 1)
		return false;
	for (size_t i = 0; i < ld->in->file_count; i++) {
		struct lists_print now;
		struct stat st;

		if (stat(ld->in->files[i], &st) != 0)
			return false;
		now = print_of(&st);
		if (!same_print(&now, &ld->before[i]))
			return false;
	}
	return true;
}

/* What is needed for reading, once per load. */
struct reader {
	struct dns_list_builder *builder;
	struct dns_listfile file;
	uint8_t slice[SLICE];
};

/* Read fd to its end. */
static enum lists_state
read_all(struct lists_load *ld, struct reader *r, int fd, int *sys)
{
	int64_t total = 0;

	for (;;) {
		ssize_t n = read(fd, r->slice, sizeof(r->slice));

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0) {
			*sys = errno;
			return LISTS_UNREADABLE;
		}
		if (n == 0)
			break;
		total += n;
		if (total > LISTS_FILE_BYTES)
			return LISTS_TOO_LONG;
		ld->e = dns_listfile_feed(&r->file, span_of(r->slice, (size_t)n));
		if (ld->e != OK)
			return LISTS_NOT_READ;
	}
	ld->e = dns_listfile_end(&r->file);
	return dns_listfile_plausible(&r->file.stats) ? LISTS_OK : LISTS_NO_LIST;
}

/* Read an open file; its print is that of before and after. */
static enum lists_state
read_open(struct lists_load *ld, struct reader *r, int fd, struct lists_file *f)
{
	enum lists_state state;
	struct lists_print after;
	struct stat st;

	if (fstat(fd, &st) != 0) {
		f->sys = errno;
		return LISTS_UNREADABLE;
	}
	if (!S_ISREG(st.st_mode))
		return LISTS_NO_FILE;
	f->print = print_of(&st);
	(void)posix_fadvise(fd, 0, 0, POSIX_FADV_SEQUENTIAL);
	state = read_all(ld, r, fd, &f->sys);
	if (fstat(fd, &st) != 0)
		return state;
	after = print_of(&st);
	return same_print(&after, &f->print) ? state : LISTS_IN_WORK;
}

static void
read_file(struct lists_load *ld, struct reader *r, size_t i)
{
	struct lists_file *f = &ld->files[i];
	/* Not waiting for a writer where the path is a pipe. */
	int fd = open(ld->in->files[i], O_RDONLY | O_CLOEXEC | O_NONBLOCK);

	if (fd < 0) {
		f->sys = errno;
		f->state = LISTS_UNREADABLE;
		return;
	}
	dns_list_builder_mark(r->builder);
	dns_listfile_begin(&r->file, r->builder, (uint8_t)i, ld->in->exact);
	f->state = read_open(ld, r, fd, f);
	f->stats = r->file.stats;
	if (f->state != LISTS_OK)
		dns_list_builder_rewind(r->builder);
	close(fd);
}

/* The lines of the settings: the source behind the files. */
static void
read_names(struct lists_load *ld, struct reader *r)
{
	struct lists_file *f = &ld->files[ld->in->file_count];

	dns_listfile_begin(&r->file, r->builder, (uint8_t)ld->in->file_count, ld->in->exact);
	for (size_t i = 0; i < ld->in->name_count && ld->e == OK; i++) {
		ld->e = dns_listfile_feed(&r->file, span_str(ld->in->names[i]));
		if (ld->e == OK)
			ld->e = dns_listfile_feed(&r->file, span_str("\n"));
	}
	f->state = LISTS_OK;
	f->stats = r->file.stats;
}

void
lists_load_work(struct offload_job *j)
{
	struct lists_load *ld = (struct lists_load *)j;
	struct reader *r;

	ld->unchanged = nothing_new(ld);
	if (ld->unchanged)
		return;
	r = malloc(sizeof(*r));
	ld->e = r != NULL ? dns_list_builder_new(&r->builder, ld->in->names_max) : ERR_NOMEM;
	if (ld->e == OK) {
		for (size_t i = 0; i < ld->in->file_count && ld->e == OK; i++)
			read_file(ld, r, i);
		if (ld->e == OK)
			read_names(ld, r);
		if (ld->e == OK)
			ld->e = dns_list_finish(&ld->list, r->builder, ld->key);
		dns_list_builder_free(r->builder);
	}
	free(r);
}

void
lists_load_free(struct lists_load *ld)
{
	dns_list_free(ld->list);
	lists_inputs_drop(ld->in);
	free(ld);
}
