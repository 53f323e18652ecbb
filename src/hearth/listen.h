/* SPDX-License-Identifier: MIT */
/*
 * libhearth: subscribe to the announcements of the house. No daemon and no root needed.
 *
 *	static void
 *	news(void *ctx, const struct hearth_news *n)
 *	{
 *		printf("%s says %s\n", n->sender, n->topic);
 *	}
 *
 *	struct hearth_listen_opts o = { .size = sizeof(o), .trust = "trust", .news = news };
 *	struct hearth_listener *l;
 *	char why[HEARTH_WHY_MAX];
 *
 *	if (hearth_listen_open(&l, &o, why) != 0)
 *		errx(1, "%s", why);
 *	hearth_listen_run(l);
 *
 * Or inside a program's own loop: poll hearth_listen_fd() for reading, for hearth_listen_timeout()
 * milliseconds at most, and call hearth_listen_process(). One listener belongs to one thread.
 *
 *	cc -o program program.c $(pkg-config --cflags --libs libhearth)
 *
 * The manual is libhearth(3); what a sender is and what its words mean is in beacon-format.md.
 */
#ifndef HEARTH_LISTEN_H
#define HEARTH_LISTEN_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define HEARTH_WHY_MAX 512	/* bytes of one line for a person */

struct hearth_listener;

enum hearth_news_type {
	HEARTH_EVENT = 1,	/* something happened */
	HEARTH_STATE = 2,	/* something is so: new or changed; repetitions are not news */
	HEARTH_WITHDRAW = 3,	/* a state is no more; reason: withdrawn, expired or unlisted */
	HEARTH_GAP = 4,		/* datagrams first to last of that sender are lost for good */
	HEARTH_REFUSED = 5,	/* something came that does not count; reason says why */
	HEARTH_NOTICE = 6,	/* about a sender; reason says what, payload has details as text */
};

enum hearth_content {
	HEARTH_CONTENT_TEXT = 0,	/* pairs: see hearth_text_next() */
	HEARTH_CONTENT_OPAQUE = 1,
	HEARTH_CONTENT_CBOR = 2,
	HEARTH_CONTENT_JSON = 3,	/* as sent: nobody has looked at it */
};

/* Everything in it is valid during the call only. */
struct hearth_news {
	enum hearth_news_type type;
	/*
	 * 0: an event or state whose sender has not proven to be alive; its signature is right, and
	 * its time is near that of this machine's clock. Show it, but do not act on it.
	 */
	int confirmed;
	const char *reason;	/* "" where there is none */
	const char *sender;	/* name in the trust file; "" for strangers */
	uint64_t sender_id;
	uint64_t epoch;		/* ms since 1970 when the sender started, or a little more */
	uint64_t seq;
	uint64_t time_ms;	/* since 1970 by the sender's clock; 0: it has none */
	const char *topic;	/* printable ASCII; "" where there is none */
	enum hearth_content content;
	uint32_t revision;	/* of a state */
	const void *payload;
	size_t payload_len;	/* up to 16000 */
	uint64_t first, last;	/* of a gap */
};

struct hearth_listen_opts {
	size_t size;			/* sizeof(struct hearth_listen_opts) */
	const char *group_key;		/* file; NULL: a public group */
	const char *trust;		/* file; NULL: nobody is trusted, all is refused */
	const char *state;		/* file that remembers what was heard; NULL: none */
	const char *const *interfaces;	/* names with * and ?; ends with NULL; NULL: all suitable */
	/* "host address[:port]" to ask for unicast copies; or NULL */
	const char *const *lessors;
	uint16_t port;			/* 0: the usual one */
	unsigned rejoin_s;		/* how often memberships are renewed; 0: every 100 s */
	void (*news)(void *ctx, const struct hearth_news *n);
	void *ctx;
};

/*
 * Open sockets on all links and ask who is there. Gives 0, or -1 with one line in why; with 0 the
 * line is empty or a warning: no interface fits yet, or keys could not be kept out of swap.
 * The strings are copied; files are read here, state is written by hearth_listen_close() and
 * about once a minute.
 */
int hearth_listen_open(struct hearth_listener **out, const struct hearth_listen_opts *o,
    char why[HEARTH_WHY_MAX]);
/* NULL is fine. */
void hearth_listen_close(struct hearth_listener *l);

/* A descriptor to poll for reading, and the longest time to wait, in milliseconds. */
int hearth_listen_fd(const struct hearth_listener *l);
int hearth_listen_timeout(const struct hearth_listener *l);
/* Do what is to be done now, without waiting. Gives 0, or -1 with errno. */
int hearth_listen_process(struct hearth_listener *l);

/* Loop until hearth_listen_stop(), which news() or a signal handler may call. Gives 0 or -1. */
int hearth_listen_run(struct hearth_listener *l);
void hearth_listen_stop(struct hearth_listener *l);

struct hearth_text {
	const char *key;
	size_t key_len;
	const void *value;	/* any bytes */
	size_t value_len;
	int has_value;		/* 0: the key stands alone */
};

/* Go through the pairs of a HEARTH_CONTENT_TEXT payload. *at is 0 at first. 0 at the end. */
int hearth_text_next(const struct hearth_news *n, size_t *at, struct hearth_text *pair);

/* Counters: name and value of number i, from 0; NULL beyond the last. */
const char *hearth_listen_count(const struct hearth_listener *l, unsigned i, uint64_t *value);

#ifdef __cplusplus
}
#endif

#endif
