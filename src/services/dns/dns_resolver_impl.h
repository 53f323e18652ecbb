/* SPDX-License-Identifier: MIT */
/*
 * What the dns_resolver*.c files share: the resolver itself and how replies leave it.
 *
 *   dns_resolver.c	     the stages of a query, settings, life
 *   dns_resolver_explain.c  the same stages in words
 *   dns_resolver_filter.c   lists, the guard against rebinding
 *   dns_resolver_flight.c   towards the upstreams and back
 *   dns_resolver_hold.c     answers that wait for sets of netfilter
 *   dns_resolver_limits.c   what one client may ask, and who asks what most
 *   dns_resolver_local.c    the names of the house
 *   dns_resolver_reply.c    replies to clients
 *   dns_resolver_report.c   counters
 *   dns_resolver_v6.c	     addresses of IPv6, left out or made of those of IPv4
 */
#ifndef SERVICES_DNS_RESOLVER_IMPL_H
#define SERVICES_DNS_RESOLVER_IMPL_H

#include "core/log.h"
#include "core/loop.h"
#include "core/neigh.h"
#include "services/dns/dns_answer.h"
#include "services/dns/dns_bootstrap.h"
#include "services/dns/dns_filter.h"
#include "services/dns/dns_lists.h"
#include "services/dns/dns_local.h"
#include "services/dns/dns_reply.h"
#include "services/dns/dns_resolver.h"
#include "services/dns/dns_top.h"
#include "util/bucket_table.h"
#include "util/seal.h"

#define DNS_FLIGHTS_MAX	 4096
#define DNS_REQUESTS_MAX 8192
#define DNS_NETS_MAX	 64	/* directly connected networks that answers may depend on */

/* One send at the edge, and whose it is. */
struct send_slot {
	struct dns_send send;
	struct dns_resolver *r;
	struct dns_try *t;
};

struct counters {
	uint64_t queries;		/* all that came, junk included */
	uint64_t tcp;			/* of those, over TCP */
	uint64_t rate_limited;		/* clients that asked too much: REFUSED */
	uint64_t not_allowed;		/* source outside `allow`: silence */
	uint64_t junk;			/* no query at all: silence */
	uint64_t formerr, notimp, badvers, refused;
	uint64_t answered_local;	/* names of the house and special-use names */
	uint64_t blocked;		/* by a list, for the name asked for or an alias */
	uint64_t mapped;		/* DNS64: answers for AAAA made of A */
	uint64_t rebinding;		/* upstream answers refused, as they lead into the house */
	uint64_t answered_fresh;	/* from the cache */
	uint64_t answered_stale;
	uint64_t answered_failure;	/* a failure held in the cache */
	uint64_t answered_upstream;
	uint64_t servfail;		/* no upstream gave an answer */
	uint64_t cookies_good;		/* the client has received from us before */
	uint64_t cookies_bad;
	uint64_t loops;			/* our own question, come back from an upstream */
	uint64_t prefetches;
	uint64_t answers_malformed;	/* upstream answers that made no sense */
	/* SERVFAIL because a table was full, nor was there a stale answer */
	uint64_t overloaded;
	uint64_t ending;		/* came while the daemon was about to end: silence */
	uint64_t latency_us;		/* summed over answered_upstream */
};

struct dns_resolver {
	struct dns_resolver_env env;
	struct dns_cache *cache;
	struct dns_forward *forward;
	struct dns_upstream *upstream;
	struct dns_request_pool pool;
	struct send_slot *sends;	/* by dns_try.index */
	struct dns_routes *routes;
	mono_us tidy_at;	/* routes that reloads have replaced may be free to go then */
	struct acl acl;
	struct dns_zones no_cache;
	struct dns_zones no_stale;
	const struct dns_local *local;	/* the caller's; NULL: none */
	struct dns_lists *lists;	/* the caller's; NULL: none */
	struct neigh *neigh;		/* MAC addresses, for blocks that name some */
	const struct dns_bootstrap *bootstrap;	/* the caller's; NULL: none */
	struct dns_addrsets *addrsets;	/* the caller's; NULL: none */
	struct dns_holding *holding;	/* answers that wait for them; NULL: none do */
	struct log_gate rebind_gate;
	struct bucket_table rates;	/* of clients; cap 0: no limit */
	struct acl rate_exempt;
	struct log_gate rate_gate;
	struct dns_top *asked;		/* names; these three are NULL where nothing is counted */
	struct dns_top *blocked;
	struct dns_top *clients;
	/* the turn of the loop that queries were last counted in, */
	mono_us counted_at;
	unsigned counted;		/* and how many of it were seen */
	struct prefix nets[DNS_NETS_MAX];
	size_t net_count;
	struct dns_ttl_limits ttl;
	bool ending;			/* what would have to wait is not taken any more */
	bool prefetch;
	bool trust_ad;
	bool filter_aaaa;
	struct prefix dns64;		/* family 0: off */
	/* a flight gives way: its waiters are not to be asked for A */
	bool yielding;
	struct dns_waiters turning;	/* have got no AAAA and will be asked for A */
	struct loop_task turn;		/* does so */
	uint8_t cookie_secret[SEAL_SHORT_KEY_BYTES];
	struct counters n;
	struct dns_querylog *querylog;	/* the caller's; NULL: nothing is told */
	const struct dns_server *answerer;	/* whose answer is delivered; NULL: nobody's */
	struct dns_answer answer;	/* of the result at work */
	struct dns_packed packed;
	uint8_t tcp_room[2 + DNS_MSG_MAX];
	uint8_t target_room[DNS_MSG_MAX];	/* the answer for an alias's target */
};

/* --- replying: dns_resolver_reply.c ----------------------------------------------------------- */

/*
 * All of these answer the query q of `from`, at once or after it has waited, by the way it came.
 * opt may be NULL; the cookie and the keepalive that the query asked for are added to it.
 */
void dns_resolver_reply_empty(struct dns_resolver *r, const struct dns_asker *from,
    const struct dns_query *q, uint16_t rcode, const struct dns_opt *opt);
/* With a reason that the client's user can read (RFC 8914). */
void dns_resolver_reply_reason(struct dns_resolver *r, const struct dns_asker *from,
    const struct dns_query *q, uint16_t rcode, uint16_t ede, const char *text);
/* From the cache. */
void dns_resolver_reply_entry(struct dns_resolver *r, const struct dns_asker *from,
    const struct dns_query *q, const struct dns_entry *e);
/* What lies in r->packed. */
void dns_resolver_reply_packed(struct dns_resolver *r, const struct dns_asker *from,
    const struct dns_query *q, const struct dns_opt *opt);
/* From the names of the house. */
void dns_resolver_reply_local(struct dns_resolver *r, const struct dns_asker *from,
    const struct dns_query *q, const struct dns_local_found *f);
/* What the block says instead. */
void dns_resolver_reply_blocked(struct dns_resolver *r, const struct dns_asker *from,
    const struct dns_query *q, const struct dns_filter_hit *hit);
/* ANY gets one harmless record (RFC 8482 §4.2). */
void dns_resolver_reply_any(struct dns_resolver *r, const struct dns_asker *from,
    const struct dns_query *q);

/* To the query log: a query that gets no reply. q is NULL where it was not read. */
void dns_resolver_note_silence(struct dns_resolver *r, const struct dns_asker *from,
    const struct dns_query *q, const char *verdict);

/* --- limits: dns_resolver_limits.c ------------------------------------------------------------ */

/* Put the limit and the counting in force, as far as there is memory for them. */
void dns_resolver_configure_limits(struct dns_resolver *r, struct dns_resolver_config *cf);
void dns_resolver_free_limits(struct dns_resolver *r);
/* True: the client has asked too much, and has been told. */
bool dns_resolver_stage_rate(struct dns_resolver *r, const struct dns_asker *from,
    const struct dns_query *q);
/* A query that is looked at; dns_query_hash() was called. */
void dns_resolver_count_query(struct dns_resolver *r, const struct dns_asker *from,
    const struct dns_query *q);
void dns_resolver_count_blocked(struct dns_resolver *r, const struct dns_asker *from,
    const struct dns_query *q);

/* --- the names of the house: dns_resolver_local.c --------------------------------------------- */

/* What the names of the house say to a client. r->local is not NULL. */
enum dns_local_verdict dns_resolver_find_local(const struct dns_resolver *r,
    const struct addr *client, struct span name, uint16_t type, struct dns_local_found *f);

/*
 * True: answered. Otherwise *from says what the names of the house do to the answer; where it is
 * aliased, *target is the name to resolve.
 */
bool dns_resolver_stage_local(struct dns_resolver *r, struct dns_asker *from,
    const struct dns_query *q, struct dns_name *target);

/* Write what the house says about q, or about what the reverse name that q asks for stands for. */
void dns_resolver_write_local(struct dns_resolver *r, const struct dns_asker *from,
    const struct dns_query *q, const struct dns_local_found *f, struct dns_wr *w);

/*
 * Write an answer that is not quite that to q's own question: the aliases of q and behind them what
 * is known of their target, addresses of IPv6 made of those of IPv4, or left out. From the entry,
 * or r->packed.
 */
size_t dns_resolver_write_bent(struct dns_resolver *r, const struct dns_asker *from,
    const struct dns_query *q, const struct dns_entry *e, const struct dns_opt *opt, uint8_t *out,
    size_t limit);

/* --- lists: dns_resolver_filter.c ------------------------------------------------------------- */

/*
 * The blocks in force for a client. Its MAC address is looked up where a block depends on it, and
 * then is in who->mac.
 */
uint32_t dns_resolver_groups(const struct dns_resolver *r, const struct dns_filter *f,
    struct dns_filter_client *who, uint8_t mac[static MAC_BYTES]);

/* Judge a name by the blocks that are in force for a client. */
enum dns_filter_verdict dns_resolver_judge(const struct dns_resolver *r, const struct addr *client,
    struct span lower, struct dns_filter_hit *hit);

/* True: blocked, and answered. */
bool dns_resolver_stage_lists(struct dns_resolver *r, const struct dns_asker *from,
    const struct dns_query *q);

/* Write what is said instead of an answer; gives its length. */
size_t dns_resolver_write_blocked(struct dns_resolver *r, const struct dns_query *q,
    const struct dns_filter_hit *hit, const struct dns_opt *opt, uint8_t *out, size_t limit);

/* True: the reply that was written leads to a name that is blocked; *hit says which. */
bool dns_resolver_blocks_answer(struct dns_resolver *r, const struct dns_asker *from,
    const struct dns_query *q, struct span msg, struct dns_filter_hit *hit);

/* Replace what lies in r->packed where it leads into the house and must not. Before it is kept. */
void dns_resolver_guard(struct dns_resolver *r, const struct dns_key *key);

/* --- addresses of IPv6: dns_resolver_v6.c ----------------------------------------------------- */

/* An answer of that kind for q makes it a question for A: DNS64. */
bool dns_resolver_maps(const struct dns_resolver *r, const struct dns_query *q, bool mapped_already,
    enum dns_answer_kind kind, const struct dns_stored *answer);
/* This is the name of an address that DNS64 makes: the one to look up instead. */
bool dns_resolver_reverses(const struct dns_resolver *r, struct span lower, uint16_t type,
    struct dns_name *target);
/* Addresses of IPv6 are left out of answers for q. */
bool dns_resolver_strips(const struct dns_resolver *r, const struct dns_query *q);
/* Ask for A on behalf of one who has waited for AAAA, when this turn of the loop ends. */
void dns_resolver_turn_later(struct dns_resolver *r, struct dns_request *rq);
/* Forget all that. */
void dns_resolver_turn_none(struct dns_resolver *r);
void dns_resolver_on_turn(struct loop_task *t);

/* In dns_resolver.c: answer from the cache, or have the upstreams asked, for A. */
void dns_resolver_stage_mapped(struct dns_resolver *r, const struct dns_asker *from,
    const struct dns_query *q, struct dns_key key);

/* --- sets of netfilter: dns_resolver_hold.c --------------------------------------------------- */

/* True: the reply is kept until its addresses are in their sets, and goes out then. */
bool dns_resolver_hold(struct dns_resolver *r, const struct dns_asker *from,
    const struct dns_query *q, struct span reply);
/* rq is about to be released, without its reply. */
void dns_resolver_unhold(struct dns_resolver *r, struct dns_request *rq);
void dns_resolver_hold_none(struct dns_resolver *r);
void dns_resolver_report_held(const struct dns_resolver *r, struct report *out);

/* --- towards the upstreams: dns_resolver_flight.c --------------------------------------------- */

extern const struct dns_forward_ops dns_resolver_forward_ops;

/* Park the query until its answer comes. */
void dns_resolver_park(struct dns_resolver *r, const struct dns_asker *from,
    const struct dns_query *q, const struct dns_key *key, struct dns_route *route);
/* Refresh an entry before it runs out; nobody waits. */
void dns_resolver_prefetch(struct dns_resolver *r, const struct dns_key *key,
    struct dns_route *route, mono_us now);

#endif
