/* SPDX-License-Identifier: MIT */
/*
 * What all messages have in common: records, the OPT record, and the words for numbers.
 *
 * The counts of a header are claims: the walk ends with the bytes, and a message that promises more
 * records than it holds is bad. RFC 1035 §4.1, RFC 6891 §6.1, RFC 3597 §5.
 */
#include "services/dns/dns_msg.h"

#include "services/dns/dns_name.h"
#include "util/text.h"

#include <stdio.h>

#define QUESTION_TAIL 4	/* bytes: type and class */

/* --- records ---------------------------------------------------------------------------------- */

bool
dns_rr_read(struct wire_rd *rd, struct dns_rr *rr)
{
	rr->owner_at = wire_rd_offset(rd);
	if (!dns_name_skip(rd))
		return false;
	rr->type = wire_rd_u16(rd);
	rr->class = wire_rd_u16(rd);
	rr->ttl_at = wire_rd_offset(rd);
	rr->ttl = wire_rd_u32(rd);
	rr->rdata = wire_rd_bytes(rd, wire_rd_u16(rd));
	return !rd->bad;
}

void
dns_walk_begin(struct dns_walk *w, struct span msg)
{
	*w = (struct dns_walk){ .rd = wire_rd_of(msg), .section = DNS_SECTION_ANSWER };
	wire_rd_skip(&w->rd, 4);
	w->questions = wire_rd_u16(&w->rd);
	for (unsigned i = 0; i < 3; i++)
		w->left[i] = wire_rd_u16(&w->rd);
	for (unsigned i = 0; i < w->questions && dns_name_skip(&w->rd); i++)
		wire_rd_skip(&w->rd, QUESTION_TAIL);
	w->bad = w->rd.bad;
}

bool
dns_rr_next(struct dns_walk *w, struct dns_rr *rr)
{
	while (w->left[w->section] == 0) {
		if (w->section == DNS_SECTION_ADDITIONAL)
			return false;
		w->section++;
	}
	if (w->bad || w->seen == DNS_RECORDS_MAX || !dns_rr_read(&w->rd, rr)) {
		w->bad = true;
		return false;
	}
	rr->section = w->section;
	w->left[w->section]--;
	w->seen++;
	return true;
}

/* --- OPT -------------------------------------------------------------------------------------- */

uint8_t *
dns_opt_open(struct wire_wr *wr, uint16_t udp_size, uint8_t upper, bool dnssec_ok)
{
	uint8_t *at = wire_wr_take(wr, DNS_OPT_BYTES);

	if (at == NULL)
		return NULL;
	at[0] = 0;
	wire_put_u16(at + 1, DNS_TYPE_OPT);
	wire_put_u16(at + 3, udp_size);
	wire_put_u32(at + 5, (uint32_t)upper << 24 | (dnssec_ok ? DNS_EDNS_DO : 0));
	wire_put_u16(at + 9, 0);
	return at + 9;
}

void
dns_opt_option(struct wire_wr *wr, enum dns_option code, struct span data)
{
	wire_wr_u16(wr, (uint16_t)code);
	wire_wr_u16(wr, (uint16_t)data.len);
	wire_wr_bytes(wr, data);
}

void
dns_opt_close(struct wire_wr *wr, uint8_t *length_at)
{
	if (length_at != NULL)
		wire_put_u16(length_at, (uint16_t)(wr->at - length_at - 2));
}

bool
dns_opt_next(struct wire_rd *rd, uint16_t *code, struct span *data)
{
	if (rd->bad || wire_rd_left(rd) == 0)
		return false;
	*code = wire_rd_u16(rd);
	*data = wire_rd_bytes(rd, wire_rd_u16(rd));
	return !rd->bad;
}

/* --- words ------------------------------------------------------------------------------------ */

struct word {
	uint16_t number;
	const char *text;
};

/* The IANA registry, without what was never in use. */
static const struct word types[] = {
	{ 1, "A" }, { 2, "NS" }, { 5, "CNAME" }, { 6, "SOA" }, { 7, "MB" }, { 8, "MG" },
	{ 9, "MR" }, { 10, "NULL" }, { 11, "WKS" }, { 12, "PTR" }, { 13, "HINFO" },
	{ 14, "MINFO" }, { 15, "MX" }, { 16, "TXT" }, { 17, "RP" }, { 18, "AFSDB" },
	{ 19, "X25" }, { 20, "ISDN" }, { 21, "RT" }, { 24, "SIG" }, { 25, "KEY" }, { 26, "PX" },
	{ 27, "GPOS" }, { 28, "AAAA" }, { 29, "LOC" }, { 30, "NXT" }, { 33, "SRV" },
	{ 35, "NAPTR" }, { 36, "KX" }, { 37, "CERT" }, { 39, "DNAME" }, { 41, "OPT" },
	{ 42, "APL" }, { 43, "DS" }, { 44, "SSHFP" }, { 45, "IPSECKEY" }, { 46, "RRSIG" },
	{ 47, "NSEC" }, { 48, "DNSKEY" }, { 49, "DHCID" }, { 50, "NSEC3" },
	{ 51, "NSEC3PARAM" }, { 52, "TLSA" }, { 53, "SMIMEA" }, { 55, "HIP" }, { 59, "CDS" },
	{ 60, "CDNSKEY" }, { 61, "OPENPGPKEY" }, { 62, "CSYNC" }, { 63, "ZONEMD" },
	{ 64, "SVCB" }, { 65, "HTTPS" }, { 99, "SPF" }, { 104, "NID" }, { 105, "L32" },
	{ 106, "L64" }, { 107, "LP" }, { 108, "EUI48" }, { 109, "EUI64" }, { 249, "TKEY" },
	{ 250, "TSIG" }, { 251, "IXFR" }, { 252, "AXFR" }, { 253, "MAILB" }, { 254, "MAILA" },
	{ 255, "ANY" }, { 256, "URI" }, { 257, "CAA" }, { 260, "AMTRELAY" }, { 261, "RESINFO" },
	{ 32768, "TA" }, { 32769, "DLV" },
};

static const struct word classes[] = {
	{ 1, "IN" }, { 3, "CH" }, { 4, "HS" }, { 254, "NONE" }, { 255, "ANY" },
};

static const struct word rcodes[] = {
	{ 0, "NOERROR" }, { 1, "FORMERR" }, { 2, "SERVFAIL" }, { 3, "NXDOMAIN" }, { 4, "NOTIMP" },
	{ 5, "REFUSED" }, { 6, "YXDOMAIN" }, { 7, "YXRRSET" }, { 8, "NXRRSET" }, { 9, "NOTAUTH" },
	{ 10, "NOTZONE" }, { 11, "DSOTYPENI" }, { 16, "BADVERS" }, { 17, "BADKEY" },
	{ 18, "BADTIME" }, { 19, "BADMODE" }, { 20, "BADNAME" }, { 21, "BADALG" },
	{ 22, "BADTRUNC" }, { 23, "BADCOOKIE" },
};

static const struct word edes[] = {
	{ 0, "Other Error" }, { 1, "Unsupported DNSKEY Algorithm" },
	{ 2, "Unsupported DS Digest Type" }, { 3, "Stale Answer" }, { 4, "Forged Answer" },
	{ 5, "DNSSEC Indeterminate" }, { 6, "DNSSEC Bogus" }, { 7, "Signature Expired" },
	{ 8, "Signature Not Yet Valid" }, { 9, "DNSKEY Missing" }, { 10, "RRSIGs Missing" },
	{ 11, "No Zone Key Bit Set" }, { 12, "NSEC Missing" }, { 13, "Cached Error" },
	{ 14, "Not Ready" }, { 15, "Blocked" }, { 16, "Censored" }, { 17, "Filtered" },
	{ 18, "Prohibited" }, { 19, "Stale NXDOMAIN Answer" }, { 20, "Not Authoritative" },
	{ 21, "Not Supported" }, { 22, "No Reachable Authority" }, { 23, "Network Error" },
	{ 24, "Invalid Data" }, { 25, "Signature Expired before Valid" }, { 26, "Too Early" },
	{ 27, "Unsupported NSEC3 Iterations Value" }, { 28, "Unable to conform to policy" },
	{ 29, "Synthesized" }, { 30, "Invalid Query Type" },
};

#define COUNT(table) (sizeof(table) / sizeof((table)[0]))

static const char *
word_find(const struct word *table, size_t n, uint16_t number)
{
	for (size_t i = 0; i < n; i++)
		if (table[i].number == number)
			return table[i].text;
	return NULL;
}

/* The word for a number, or prefix and digits. */
static const char *
word_format(const struct word *table, size_t n, const char *prefix, uint16_t number,
    char buf[static DNS_TYPE_TEXT_MAX])
{
	const char *word = word_find(table, n, number);

	if (word != NULL)
		snprintf(buf, DNS_TYPE_TEXT_MAX, "%s", word);
	else
		snprintf(buf, DNS_TYPE_TEXT_MAX, "%s%u", prefix, number);
	return buf;
}

static enum err
word_parse(const struct word *table, size_t n, const char *prefix, uint16_t *out, struct span text)
{
	struct span head = span_str(prefix);
	uint64_t value = 0;

	for (size_t i = 0; i < n; i++) {
		if (span_equal_nocase(text, span_str(table[i].text))) {
			*out = table[i].number;
			return OK;
		}
	}
	if (text.len > head.len && span_equal_nocase(span_of(text.at, head.len), head))
		text = span_of(text.at + head.len, text.len - head.len);
	if (!text_u64(text, &value))
		return ERR_FORMAT;
	if (value > UINT16_MAX)
		return ERR_RANGE;
	*out = (uint16_t)value;
	return OK;
}

const char *
dns_type_format(uint16_t type, char buf[static DNS_TYPE_TEXT_MAX])
{
	return word_format(types, COUNT(types), "TYPE", type, buf);
}

enum err
dns_type_parse(uint16_t *out, struct span text)
{
	return word_parse(types, COUNT(types), "TYPE", out, text);
}

const char *
dns_class_format(uint16_t class, char buf[static DNS_TYPE_TEXT_MAX])
{
	return word_format(classes, COUNT(classes), "CLASS", class, buf);
}

enum err
dns_class_parse(uint16_t *out, struct span text)
{
	return word_parse(classes, COUNT(classes), "CLASS", out, text);
}

const char *
dns_rcode_format(uint16_t rcode, char buf[static DNS_TYPE_TEXT_MAX])
{
	return word_format(rcodes, COUNT(rcodes), "RCODE", rcode, buf);
}

const char *
dns_ede_text(uint16_t code)
{
	const char *word = word_find(edes, COUNT(edes), code);

	return word != NULL ? word : "Unassigned";
}
