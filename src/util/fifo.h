/* SPDX-License-Identifier: MIT */
/* A queue of bytes that costs no memory while it is empty. */
#ifndef UTIL_FIFO_H
#define UTIL_FIFO_H

#include <stddef.h>
#include <stdint.h>

#include "util/err.h"
#include "util/span.h"

/* All zero is a valid empty queue. */
struct fifo {
	uint8_t *at;
	size_t start;		/* first byte in use */
	size_t end;		/* behind the last */
	size_t cap;
};

/* Append a copy. On ERR_NOMEM nothing has changed. The cap on the total is the caller's affair. */
enum err fifo_append(struct fifo *f, struct span data) MUST_CHECK;
/* Drop n bytes from the front, n <= fifo_len(); the last one gives the memory back. */
void fifo_consume(struct fifo *f, size_t n);
/* Drop all. */
void fifo_fini(struct fifo *f);

static inline size_t
fifo_len(const struct fifo *f)
{
	return f->end - f->start;
}

/* What is queued, valid until the queue changes. */
static inline struct span
fifo_span(const struct fifo *f)
{
	return span_of(f->at != NULL ? f->at + f->start : NULL, fifo_len(f));
}

#endif
