/* SPDX-License-Identifier: MIT */
/* Lease files with one entry a line: dnsmasq, Kea, odhcpd. */
#include "services/dns/dns_lease_parse.h"

#include "util/text.h"

/* --- dnsmasq: EXPIRY HARDWARE-OR-IAID ADDRESS NAME CLIENT-ID-OR-DUID -------------------------- */

/*
 * Where dnsmasq is built for machines without a clock (HAVE_BROKEN_RTC), the first word is the
 * length of the lease. A date as small as that would be in 1973; such leases hold while they stand
 * in the file. 0 is a lease without end.
 */
#define DNSMASQ_DATE_MIN 100000000

static enum err
dnsmasq_line(struct dns_leases *ls, struct span line, struct dns_lease_entry *e)
{
	struct span expiry = text_next_word(&line);
	struct span hardware = text_next_word(&line);

	e->addr = text_next_word(&line);
	e->name = text_next_word(&line);
	/* One DUID has several IAIDs; for IPv4 the hardware address tells most. */
	e->client = memchr(e->addr.at, ':', e->addr.len) != NULL ? text_next_word(&line) : hardware;
	if (e->name.len == 0 || !dns_lease_time(expiry, &e->expires)) {
		dns_lease_bad(ls, e->line);
		return OK;
	}
	if (e->expires < DNSMASQ_DATE_MIN)
		e->expires = DNS_LEASE_FOREVER;
	return dns_lease_add(ls, e);
}

enum err
dns_lease_parse_dnsmasq(struct dns_leases *ls, struct span text, uint16_t source)
{
	struct dns_lease_entry e = { .source = source };
	enum err err = OK;
	struct span line;

	while (err == OK && text_next_line(&text, &line)) {
		e.line++;
		line = text_trim(line);
		/* "duid …" is the server's own and stands before the IPv6 leases. */
		if (line.len != 0 && !text_begins(line, "duid "))
			err = dnsmasq_line(ls, line, &e);
	}
	return err;
}

/* --- odhcpd: # INTERFACE DUID IAID NAME EXPIRY ID LENGTH ADDRESS/LENGTH… ---------------------- */

/* What odhcpd writes in front of a name that it found unfit. */
#define ODHCPD_BROKEN "broken\\x20"

struct odhcpd_line {
	struct span duid;
	struct span name;
	struct span expiry;
	struct span length;
	struct span addresses;
};

/* The lines between them, in hosts(5) format, say the same without the expiry. */
static bool
odhcpd_split(struct odhcpd_line *out, struct span line)
{
	if (!text_is(text_next_word(&line), "#"))
		return false;
	(void)text_next_word(&line);		/* interface */
	out->duid = text_next_word(&line);
	(void)text_next_word(&line);		/* IAID, "ipv4" for the older protocol */
	out->name = text_next_word(&line);
	out->expiry = text_next_word(&line);
	(void)text_next_word(&line);		/* number of the host or network */
	out->length = text_next_word(&line);
	out->addresses = line;

	uint64_t length, time;

	return text_u64(out->length, &length) && length <= 128 &&
	    (text_is(out->expiry, "-1") || text_u64(out->expiry, &time));
}

bool
dns_lease_is_odhcpd(struct span line)
{
	struct odhcpd_line l;

	return odhcpd_split(&l, line);
}

static enum err
odhcpd_line(struct dns_leases *ls, const struct odhcpd_line *l, struct dns_lease_entry *e)
{
	struct span rest = l->addresses;
	struct span word;
	enum err err = OK;

	/* Anything else is a network handed to a router: nobody's address. */
	if (!text_is(l->length, "128") && !text_is(l->length, "32"))
		return OK;
	if (!dns_lease_time(l->expiry, &e->expires))
		e->expires = DNS_LEASE_FOREVER;
	e->client = l->duid;
	e->name = text_begins(l->name, ODHCPD_BROKEN) ? span_of(NULL, 0) : l->name;
	while (err == OK && (word = text_next_word(&rest)).len != 0) {
		e->addr = text_next_field(&word, '/');
		err = dns_lease_add(ls, e);
	}
	return err;
}

enum err
dns_lease_parse_odhcpd(struct dns_leases *ls, struct span text, uint16_t source)
{
	struct dns_lease_entry e = { .source = source };
	struct odhcpd_line l;
	enum err err = OK;
	struct span line;

	while (err == OK && text_next_line(&text, &line)) {
		e.line++;
		if (odhcpd_split(&l, line))
			err = odhcpd_line(ls, &l, &e);
	}
	return err;
}

/* --- Kea: comma separated, the first line names the columns ----------------------------------- */

enum kea_column {
	KEA_ADDRESS,
	KEA_HWADDR,
	KEA_DUID,
	KEA_VALID_LIFETIME,
	KEA_EXPIRE,
	KEA_LEASE_TYPE,
	KEA_HOSTNAME,
	KEA_STATE,
	KEA_COLUMNS,
};

#define KEA_FIELDS_MAX	64
#define KEA_FOREVER	"4294967295"	/* valid_lifetime of a lease without end */
#define KEA_TYPE_PREFIX "2"		/* lease_type: a network handed to a router */

/* Where each column is; KEA_FIELDS_MAX where the file does not have it. */
struct kea_layout {
	unsigned at[KEA_COLUMNS];
};

static void
kea_header(struct kea_layout *layout, struct span line)
{
	static const char *const names[KEA_COLUMNS] = { "address", "hwaddr", "duid",
		"valid_lifetime", "expire", "lease_type", "hostname", "state" };

	for (unsigned c = 0; c < KEA_COLUMNS; c++)
		layout->at[c] = KEA_FIELDS_MAX;
	for (unsigned i = 0; i < KEA_FIELDS_MAX && line.len != 0; i++) {
		struct span name = text_next_field(&line, ',');

		for (unsigned c = 0; c < KEA_COLUMNS; c++)
			if (text_is(name, names[c]))
				layout->at[c] = i;
	}
}

/*
 * A comma inside a field is written as &#x2c. No name of a host has one, nor the & that is escaped
 * the same way; such a name is passed on as it is and found unfit later.
 */
static enum err
kea_line(struct dns_leases *ls, const struct kea_layout *layout, struct span line,
    struct dns_lease_entry *e)
{
	struct span field[KEA_FIELDS_MAX + 1] = { { 0 } };
	unsigned n = 0;

	while (n < KEA_FIELDS_MAX && line.len != 0)
		field[n++] = text_next_field(&line, ',');
	e->addr = field[layout->at[KEA_ADDRESS]];
	e->name = field[layout->at[KEA_HOSTNAME]];
	e->client = field[layout->at[KEA_DUID]];
	if (e->client.len == 0)
		e->client = field[layout->at[KEA_HWADDR]];

	struct span state = field[layout->at[KEA_STATE]];
	struct span lifetime = field[layout->at[KEA_VALID_LIFETIME]];

	if (text_is(field[layout->at[KEA_LEASE_TYPE]], KEA_TYPE_PREFIX))
		return OK;
	if (!dns_lease_time(field[layout->at[KEA_EXPIRE]], &e->expires)) {
		dns_lease_bad(ls, e->line);
		return OK;
	}
	if (text_is(lifetime, KEA_FOREVER))
		e->expires = DNS_LEASE_FOREVER;
	/* 0 is the default state: in use. A lifetime of 0 is how a lease is deleted. */
	if ((state.len != 0 && !text_is(state, "0")) || text_is(lifetime, "0"))
		e->expires = DNS_LEASE_ENDED;
	return dns_lease_add(ls, e);
}

enum err
dns_lease_parse_kea(struct dns_leases *ls, struct span text, uint16_t source)
{
	struct dns_lease_entry e = { .source = source };
	struct kea_layout layout = { { 0 } };
	enum err err = OK;
	struct span line;

	while (err == OK && text_next_line(&text, &line)) {
		e.line++;
		line = text_trim(line);
		if (text_begins(line, "address,"))
			kea_header(&layout, line);
		else if (line.len != 0)
			err = kea_line(ls, &layout, line, &e);
	}
	return err;
}
