/* SPDX-License-Identifier: MIT */
/*
 * Log lines made of fields, written as text or as JSON, one line an event.
 *
 *   text   dns: 192.168.1.4:4711: answered id=5f21a0 name="example.org" rcode=NOERROR ms=12
 *   json   {"time":…,"level":"info","service":"dns","event":"answered","peer":…,"id":…,…}
 *
 * Levels: err, someone must act; warning, degraded; notice, life cycle; info, one per transfer;
 * debug, one per packet. Bytes from the network are always quoted. A line that a packet can cause
 * goes through a struct log_gate, so that a flood of packets is not a flood of lines.
 */
#ifndef CORE_LOG_H
#define CORE_LOG_H

#include "util/addr.h"
#include "util/err.h"
#include "util/mono.h"
#include "util/span.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>

struct log;

enum log_level {
	LOG_LEVEL_ERR,
	LOG_LEVEL_WARNING,
	LOG_LEVEL_NOTICE,
	LOG_LEVEL_INFO,
	LOG_LEVEL_DEBUG,
};

enum log_format {
	LOG_FORMAT_TEXT,
	LOG_FORMAT_JSON,
};

enum log_type {
	LOG_END = 0,
	LOG_TYPE_STR,
	LOG_TYPE_SPAN,
	LOG_TYPE_I64,
	LOG_TYPE_U64,
	LOG_TYPE_HEX,	/* request ids */
	LOG_TYPE_ADDR,
	LOG_TYPE_BOOL,
};

struct log_field {
	enum log_type type;
	const char *key;
	union {
		const char *str;
		struct span span;
		int64_t i64;
		uint64_t u64;
		const struct addr *addr;
		bool flag;
	};
};

#define LOG_STR(k, v)  { .type = LOG_TYPE_STR, .key = (k), .str = (v) }
#define LOG_SPAN(k, v) { .type = LOG_TYPE_SPAN, .key = (k), .span = (v) }	/* always quoted */
#define LOG_I64(k, v)  { .type = LOG_TYPE_I64, .key = (k), .i64 = (int64_t)(v) }
#define LOG_U64(k, v)  { .type = LOG_TYPE_U64, .key = (k), .u64 = (uint64_t)(v) }
#define LOG_HEX(k, v)  { .type = LOG_TYPE_HEX, .key = (k), .u64 = (uint64_t)(v) }
#define LOG_ADDR(k, v) { .type = LOG_TYPE_ADDR, .key = (k), .addr = (v) }
#define LOG_BOOL(k, v) { .type = LOG_TYPE_BOOL, .key = (k), .flag = (v) }
/* The peer stands in front of the event in text, as a field in JSON. */
#define LOG_PEER(v)    LOG_ADDR("peer", v)

/* Nothing is evaluated where the level is off. At least one field is needed: use log_note(). */
#define log_event(lg, level, service, event, ...)                                                  \
	do {                                                                                       \
		if (log_enabled((lg), (level)))                                                    \
			log_write((lg), (level), (service), (event),                               \
			    (const struct log_field[]){ __VA_ARGS__, { .type = LOG_END } });       \
	} while (0)

/*
 * Lines go to stderr, with the <priority> of sd-daemon(3) in front where that is the journal. A
 * line that stderr cannot take at once is dropped and counted: the loop never waits.
 * Errors: ERR_NOMEM.
 */
enum err log_new(struct log **out, enum log_level level, enum log_format format) MUST_CHECK;
void log_free(struct log *lg);
void log_set(struct log *lg, enum log_level level, enum log_format format);

#define LOG_SYSLOG_PATH "/dev/log"

/*
 * From here on write to the system's logger at path, as `ident`; without one there, nowhere. One
 * that is started anew is found again. path and ident must outlive lg. Errors: ERR_SYS.
 */
enum err log_to_syslog(struct log *lg, const char *path, const char *ident) MUST_CHECK;

/* Lines that were dropped since the start. */
uint64_t log_dropped(const struct log *lg);

/* NULL for lg is a log that is off. */
bool log_enabled(const struct log *lg, enum log_level level);
void log_write(struct log *lg, enum log_level level, const char *service, const char *event,
    const struct log_field *fields);
/* A line of words, printf style, for what has no fields. */
void log_note(struct log *lg, enum log_level level, const char *service, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));

/* Give a level's or format's number by name; false where there is no such name. */
bool log_level_parse(const char *name, enum log_level *out);

/* A gate in front of lines that packets can cause: `burst` lines, then one each `every`. */
struct log_gate {
	usec every;		/* 0: 1 s */
	unsigned burst;		/* 0: 10 */
	unsigned used;
	mono_us since;
	uint64_t suppressed;	/* lines swallowed since the last one that passed */
};

/* True where the line may be written; *suppressed then holds how many were not before it. */
bool log_gate_pass(struct log_gate *g, mono_us now, uint64_t *suppressed);

/*
 * Write bytes as a quoted text; printable UTF-8 stays, the rest becomes \" \\ \n \xNN. Always
 * closed by a quote and a zero, cut with an ellipsis where cap is short (cap >= 8). Gives buf.
 */
const char *log_quote(struct span bytes, char *buf, size_t cap);

#endif
