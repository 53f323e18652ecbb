/* SPDX-License-Identifier: MIT */
/* Records of the house: dnsmasq has an option for each type, hearthd takes zone-file syntax. */
#include "hearthctl/import_dnsmasq_impl.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "util/addr.h"

#define FIELDS_MAX	64
#define STRING_MAX	255	/* bytes of one string of a TXT record, RFC 1035 §3.3.14 */
#define ADDRESSES_MAX	8

/* The fields of a value between commas. */
struct fields {
	char *at[FIELDS_MAX];
	size_t count;
};

static void
split(struct fields *f, char *value)
{
	char *rest = value, *one;

	f->count = 0;
	while (f->count < FIELDS_MAX && (one = import_field(&rest, ',')) != NULL)
		f->at[f->count++] = one;
}

/* The i-th field, plain; NULL where it is missing or empty. */
static char *
field(struct fields *f, size_t i)
{
	return i < f->count && *f->at[i] != '\0' ? import_plain(f->at[i]) : NULL;
}

/* Add "NAME [TTL] IN TYPE RDATA". ttl: NULL for the usual one. */
static const char *
add_record(struct import *im, char *name, const char *ttl, const char *type, const char *rdata)
{
	const char *owner = import_name(im, name);

	if (owner == NULL)
		return IMPORT_BAD_NAME;
	import_add_once(im->conf, im->dns, "record", import_keep(im->conf, "%s%s%s IN %s %s", owner,
	    ttl != NULL ? " " : "", ttl != NULL ? ttl : "", type, rdata));
	return NULL;
}

/* Add "NAME [TTL] IN TYPE [BEFORE ]TARGET", the target being a name; "" is the root. */
static const char *
add_pointer(struct import *im, char *name, const char *ttl, const char *type, const char *before,
    char *target)
{
	const char *to = *target == '\0' ? "." : import_name(im, target);

	if (to == NULL)
		return IMPORT_BAD_NAME;
	return add_record(im, name, ttl, type, import_keep(im->conf, "%s%s", before, to));
}

/* Take a closing field of digits off: a TTL. */
static const char *
take_ttl(struct fields *f)
{
	unsigned long n;

	if (f->count < 2 || !import_number(f->at[f->count - 1], INT32_MAX, &n))
		return NULL;
	return f->at[--f->count];
}

/* A record for each address of one name. */
static const char *
add_addresses(struct import *im, char *name, const char *ttl, char *const *addrs, size_t count)
{
	const char *why = NULL;

	for (size_t i = 0; i < count && why == NULL; i++)
		why = add_record(im, name, ttl, import_address(addrs[i]) == 4 ? "A" : "AAAA",
		    addrs[i]);
	return why;
}

const char *
import_host_record(struct import *im, char *value)
{
	struct fields f;
	char *names[FIELDS_MAX], *addrs[ADDRESSES_MAX];
	size_t name_count = 0, addr_count = 0;
	const char *why = NULL;

	split(&f, value);

	const char *ttl = take_ttl(&f);

	for (size_t i = 0; i < f.count; i++) {
		char *one = field(&f, i);

		if (one == NULL)
			continue;
		if (import_address(one) == 0)
			names[name_count++] = one;
		else if (addr_count < ADDRESSES_MAX)
			addrs[addr_count++] = one;
	}
	if (name_count == 0 || addr_count == 0)
		return "A name or an address is missing.";
	for (size_t i = 0; i < name_count && why == NULL; i++)
		why = add_addresses(im, names[i], ttl, addrs, addr_count);
	return why;
}

const char *
import_cname(struct import *im, char *value)
{
	struct fields f;
	const char *why = NULL;

	split(&f, value);

	const char *ttl = take_ttl(&f);
	char *target = f.count > 1 ? field(&f, f.count - 1) : NULL;

	if (target == NULL)
		return "The target is missing.";
	for (size_t i = 0; i + 1 < f.count && why == NULL; i++) {
		if (field(&f, i) == NULL)
			continue;
		if (strncmp(f.at[i], "*.", 2) == 0)
			import_differs(im, "An alias for \"*.zone\" holds for every name below the "
			    "zone; dnsmasq minds it towards the Internet only (auth-zone).");
		why = add_pointer(im, f.at[i], ttl, "CNAME", "", target);
	}
	return why;
}

const char *
import_mx_host(struct import *im, char *value)
{
	struct fields f;
	unsigned long preference = 1;

	split(&f, value);

	char *name = field(&f, 0), *target = field(&f, 1), *last = field(&f, f.count - 1);

	/* mx-host=NAME,PREFERENCE is possible too. */
	if (f.count == 2 && last != NULL && import_number(last, UINT16_MAX, &preference))
		target = NULL;
	else if (f.count > 2 && !import_number(f.at[2], UINT16_MAX, &preference))
		return "The preference is no number of 0 to 65535.";
	if (name == NULL)
		return "The name is missing.";
	if (target == NULL && im->mx_target == NULL)
		return "The target would be this machine: write its name behind the first one.";

	char copy[IMPORT_LINE_MAX];

	snprintf(copy, sizeof(copy), "%s", target != NULL ? target : im->mx_target);
	return add_pointer(im, name, NULL, "MX", import_keep(im->conf, "%lu ", preference), copy);
}

const char *
import_srv_host(struct import *im, char *value)
{
	struct fields f;
	unsigned long port = 1, priority = 0, weight = 0;
	char full[IMPORT_LINE_MAX], none[1] = "";

	split(&f, value);

	char *name = field(&f, 0), *target = field(&f, 1);

	if (name == NULL)
		return "The name is missing.";
	if ((f.count > 2 && !import_number(f.at[2], UINT16_MAX, &port)) ||
	    (f.count > 3 && !import_number(f.at[3], UINT16_MAX, &priority)) ||
	    (f.count > 4 && !import_number(f.at[4], UINT16_MAX, &weight)))
		return "Port, priority or weight is no number of 0 to 65535.";

	const char *dot = strchr(name, '.');

	/* "_service._proto" alone is meant for the domain of the house. */
	if (dot != NULL && strchr(dot + 1, '.') == NULL && im->domain != NULL)
		snprintf(full, sizeof(full), "%s.%s", name, im->domain);
	else
		snprintf(full, sizeof(full), "%s", name);
	return add_pointer(im, full, NULL, "SRV",
	    import_keep(im->conf, "%lu %lu %lu ", priority, weight, port),
	    target != NULL ? target : none);
}

const char *
import_ptr_record(struct import *im, char *value)
{
	struct fields f;
	char none[1] = "";

	split(&f, value);
	if (field(&f, 0) == NULL)
		return "The name is missing.";
	return add_pointer(im, f.at[0], NULL, "PTR", "", field(&f, 1) != NULL ? f.at[1] : none);
}

/* --- texts ------------------------------------------------------------------------------------ */

/* One string in quotes as zone files have it. */
static const char *
zone_string(struct import *im, const char *text, size_t len)
{
	char out[STRING_MAX * 4 + 3];
	size_t n = 0;

	out[n++] = '"';
	for (size_t i = 0; i < len; i++) {
		unsigned char c = (unsigned char)text[i];

		if (c < ' ' || c > '~') {
			n += (size_t)snprintf(out + n, 5, "\\%03u", c);
			continue;
		}
		if (c == '"' || c == '\\')
			out[n++] = '\\';
		out[n++] = (char)c;
	}
	out[n++] = '"';
	out[n] = '\0';
	return import_keep(im->conf, "%s", out);
}

const char *
import_txt_record(struct import *im, char *value)
{
	struct fields f;
	const char *rdata = "";

	split(&f, value);
	if (field(&f, 0) == NULL)
		return "The name is missing.";
	for (size_t i = 1; i < f.count; i++) {
		const char *text = import_plain(f.at[i]);
		size_t left = strlen(text);

		do {
			size_t len = left < STRING_MAX ? left : STRING_MAX;

			rdata = import_keep(im->conf, "%s%s%s", rdata, *rdata != '\0' ? " " : "",
			    zone_string(im, text, len));
			text += len;
			left -= len;
		} while (left != 0);
	}
	return add_record(im, f.at[0], NULL, "TXT", *rdata != '\0' ? rdata : "\"\"");
}

/* A field as a string in quotes; NULL where it is too long. */
static const char *
quoted_field(struct import *im, struct fields *f, size_t i)
{
	const char *text = i < f->count ? import_plain(f->at[i]) : "";
	size_t len = strlen(text);

	return len <= STRING_MAX ? zone_string(im, text, len) : NULL;
}

const char *
import_naptr_record(struct import *im, char *value)
{
	struct fields f;
	unsigned long order, preference;
	char none[1] = "";

	split(&f, value);
	if (f.count < 6 || !import_number(f.at[1], UINT16_MAX, &order) ||
	    !import_number(f.at[2], UINT16_MAX, &preference))
		return "A field is missing, or order or preference is no number of 0 to 65535.";

	const char *flags = quoted_field(im, &f, 3), *service = quoted_field(im, &f, 4);
	const char *regexp = quoted_field(im, &f, 5);

	if (flags == NULL || service == NULL || regexp == NULL)
		return "A text is longer than 255 bytes.";
	return add_pointer(im, import_plain(f.at[0]), NULL, "NAPTR",
	    import_keep(im->conf, "%lu %lu %s %s %s ", order, preference, flags, service, regexp),
	    field(&f, 6) != NULL ? f.at[6] : none);
}

const char *
import_caa_record(struct import *im, char *value)
{
	struct fields f;
	unsigned long flags;

	split(&f, value);
	if (f.count < 4 || field(&f, 2) == NULL || !import_number(f.at[1], UINT8_MAX, &flags))
		return "A field is missing, or the flags are no number of 0 to 255.";

	const char *text = quoted_field(im, &f, 3);

	if (text == NULL)
		return "A text is longer than 255 bytes.";
	return add_record(im, import_plain(f.at[0]), NULL, "CAA",
	    import_keep(im->conf, "%lu %s %s", flags, f.at[2], text));
}

const char *
import_dns_rr(struct import *im, char *value)
{
	struct fields f;
	unsigned long type;
	char hex[IMPORT_LINE_MAX];
	size_t n = 0;

	split(&f, value);
	if (f.count < 2 || !import_number(f.at[1], UINT16_MAX, &type))
		return "The type is no number of 0 to 65535.";
	for (const char *p = f.count > 2 ? import_plain(f.at[2]) : ""; *p != '\0'; p++) {
		if (*p == ':' || *p == ' ')
			continue;
		if (!isxdigit((unsigned char)*p))
			return "The data are not hexadecimal.";
		hex[n++] = *p;
	}
	if (n % 2 != 0)
		return "The data are not whole bytes.";
	hex[n] = '\0';
	return add_record(im, import_plain(f.at[0]), NULL,
	    import_keep(im->conf, "TYPE%lu", type),
	    import_keep(im->conf, "\\# %zu%s%s", n / 2, n != 0 ? " " : "", hex));
}

/* --- hosts of the DHCP server ----------------------------------------------------------------- */

/* "45m", "3600", "infinite": how long a lease lasts. */
static bool
is_lease_time(const char *text)
{
	size_t digits = strspn(text, "0123456789");

	if (strcmp(text, "infinite") == 0)
		return true;
	if (digits == 0 || text[digits] == '\0')
		return digits != 0;
	return strchr("smhdw", text[digits]) != NULL && text[digits + 1] == '\0';
}

/* Sort the fields of a dhcp-host out: its name and its addresses. False for "ignore". */
static bool
read_dhcp_host(struct fields *f, char **name, char **addrs, size_t *count)
{
	*name = NULL;
	*count = 0;
	for (size_t i = 0; i < f->count; i++) {
		char *one = import_plain(f->at[i]);
		size_t len = strlen(one);

		if (strcmp(one, "ignore") == 0)
			return false;
		if (len > 2 && one[0] == '[' && one[len - 1] == ']') {
			one[len - 1] = '\0';
			one++;
			if (strncmp(one, "::", 2) == 0)
				continue;	/* the host part of an address that changes */
		} else if (len == 0 || strchr(one, ':') != NULL || is_lease_time(one)) {
			continue;		/* MAC address, id:, tag:, set: */
		}
		if (import_address(one) == 0)
			*name = one;
		else if (*count < ADDRESSES_MAX)
			addrs[(*count)++] = one;
	}
	return true;
}

const char *
import_dhcp_host(struct import *im, char *value)
{
	struct fields f;
	char *name, *addrs[ADDRESSES_MAX], full[IMPORT_LINE_MAX];
	size_t count;
	const char *why = NULL;

	split(&f, value);
	if (!read_dhcp_host(&f, &name, addrs, &count) || name == NULL || count == 0)
		return IMPORT_NO_DHCP;
	if (strchr(name, '.') == NULL && im->domain != NULL) {
		snprintf(full, sizeof(full), "%s.%s", name, im->domain);
		why = add_addresses(im, full, NULL, addrs, count);
	}
	if (why == NULL)
		why = add_addresses(im, name, NULL, addrs, count);
	if (why == NULL)
		import_differs(im, "Name and fixed address have become a record: hearthd answers "
		    "it whether or not the host has a lease. Giving out the address stays with the "
		    "DHCP server.");
	return why;
}
