/* SPDX-License-Identifier: MIT */
/*
 * What an attacker on the link does: record what is announced, say it again, change it.
 *
 *	beacon_tap record INTERFACE FILE SECONDS
 *	beacon_tap replay INTERFACE FILE	all of it, to the group
 *	beacon_tap flip INTERFACE FILE		the first event, each byte changed in turn
 *	beacon_tap ask GROUP-KEY FROM TO COUNT	ask TO for leases in the name of FROM, confirm at random
 */
#include <arpa/inet.h>
#include <net/if.h>
#include <netinet/ip.h>
#include <netinet/udp.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "services/announce/beacon_crypt.h"
#include "services/announce/beacon_msg.h"

#define FORGED_PORT 9999	/* of the host that is said to ask */

struct datagram {
	uint16_t len;
	uint8_t bytes[2048];
};

static struct sockaddr_in group;

static int
open_socket(const char *interface, int receive)
{
	int fd = socket(AF_INET, SOCK_DGRAM, 0), on = 1, off = 0;
	struct ip_mreqn mr = { .imr_ifindex = (int)if_nametoindex(interface) };

	group = (struct sockaddr_in){ .sin_family = AF_INET, .sin_port = htons(BEACON_PORT) };
	inet_pton(AF_INET, BEACON_GROUP4, &group.sin_addr);
	mr.imr_multiaddr = group.sin_addr;
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	setsockopt(fd, IPPROTO_IP, IP_MULTICAST_ALL, &off, sizeof(off));
	setsockopt(fd, IPPROTO_IP, IP_MULTICAST_IF, &mr, sizeof(mr));
	if (receive && (bind(fd, (struct sockaddr *)&group, sizeof(group)) != 0 ||
	    setsockopt(fd, IPPROTO_IP, IP_ADD_MEMBERSHIP, &mr, sizeof(mr)) != 0)) {
		perror("beacon_tap");
		exit(1);
	}
	return fd;
}

static int
record(int fd, FILE *file, int span_s)
{
	time_t end = time(NULL) + span_s;
	struct datagram d;
	unsigned count = 0;

	while (time(NULL) <= end) {
		struct pollfd p = { .fd = fd, .events = POLLIN };
		ssize_t n = poll(&p, 1, 100) > 0 ? recv(fd, d.bytes, sizeof(d.bytes), 0) : 0;

		if (n <= 0)
			continue;
		d.len = (uint16_t)n;
		fwrite(&d.len, sizeof(d.len), 1, file);
		fwrite(d.bytes, 1, d.len, file);
		fflush(file);
		count++;
	}
	printf("%u recorded\n", count);
	return count == 0;
}

static int
next(FILE *file, struct datagram *d)
{
	return fread(&d->len, sizeof(d->len), 1, file) == 1 && d->len <= sizeof(d->bytes) &&
	       fread(d->bytes, 1, d->len, file) == d->len;
}

static void
say(int fd, const struct datagram *d)
{
	(void)sendto(fd, d->bytes, d->len, 0, (struct sockaddr *)&group, sizeof(group));
	usleep(1000);
}

static int
replay(int fd, FILE *file, int flip)
{
	struct datagram d;
	unsigned count = 0;

	while (next(file, &d)) {
		if (flip && d.bytes[6] != BEACON_EVENT)
			continue;
		for (size_t i = 0; flip && i < d.len; i++, count++) {
			d.bytes[i] ^= 0x20;
			say(fd, &d);
			d.bytes[i] ^= 0x20;
		}
		if (flip)
			break;
		say(fd, &d);
		count++;
	}
	printf("%u sent\n", count);
	return count == 0;
}

/* Send a datagram with somebody else's address as its source. */
static void
say_as(int fd, const struct sockaddr_in *from, const struct sockaddr_in *to, struct span dgram)
{
	struct {
		struct iphdr ip;
		struct udphdr udp;
		uint8_t data[BEACON_DGRAM_MAX];
	} p = { .ip = { .version = 4, .ihl = 5, .ttl = 64, .protocol = IPPROTO_UDP,
	    .saddr = from->sin_addr.s_addr, .daddr = to->sin_addr.s_addr },
	    .udp = { .source = htons(FORGED_PORT), .dest = to->sin_port } };
	size_t len = sizeof(p.ip) + sizeof(p.udp) + dgram.len;

	/* The kernel fills in the sum of the IP header; a UDP sum of zero is none. */
	p.ip.tot_len = htons((uint16_t)len);
	p.udp.len = htons((uint16_t)(sizeof(p.udp) + dgram.len));
	memcpy(p.data, dgram.at, dgram.len);
	if (sendto(fd, &p, len, 0, (const struct sockaddr *)to, sizeof(*to)) < 0)
		perror("beacon_tap");
	printf("%zu bytes\n", len);
}

static int
ask(const char *key_file, const char *from, const char *to, int count)
{
	struct sockaddr_in src = { .sin_family = AF_INET },
			   dst = { .sin_family = AF_INET, .sin_port = htons(BEACON_PORT) };
	struct beacon_keyring ring;
	char why[BEACON_WHY_MAX];
	int fd = socket(AF_INET, SOCK_RAW, IPPROTO_RAW);

	if (seal_init() != OK || beacon_keyring_load(&ring, key_file, why) != OK || fd < 0 ||
	    inet_pton(AF_INET, from, &src.sin_addr) != 1 ||
	    inet_pton(AF_INET, to, &dst.sin_addr) != 1)
		return 1;
	for (int i = 0; i < 2 * count; i++) {
		struct beacon_lease l = { .kind = i % 2 == 0 ? BEACON_LEASE_ASK
							     : BEACON_LEASE_CONFIRM };
		struct beacon_hdr h = { .type = BEACON_LEASE, .sender = 4711,
			.seq = (uint64_t)i + 1, .frag_count = 1 };
		uint8_t body[64], out[BEACON_DGRAM_MAX];
		struct wire_wr wr = wire_wr_of(body, sizeof(body));

		beacon_lease_put(&wr, &l);
		say_as(fd, &src, &dst, span_of(out, beacon_seal(out, &h, wire_wr_span(&wr), &ring,
		    NULL)));
	}
	beacon_keyring_fini(&ring);
	return 0;
}

int
main(int argc, char **argv)
{
	int recording = argc > 1 && strcmp(argv[1], "record") == 0;

	if (argc == 6 && strcmp(argv[1], "ask") == 0)
		return ask(argv[2], argv[3], argv[4], atoi(argv[5]));
	if (argc < 4 + recording) {
		fprintf(stderr, "beacon_tap record|replay|flip INTERFACE FILE [SECONDS]\n"
				"beacon_tap ask GROUP-KEY FROM TO COUNT\n");
		return 2;
	}

	FILE *file = fopen(argv[3], recording ? "w" : "r");

	if (file == NULL) {
		perror(argv[3]);
		return 1;
	}

	int fd = open_socket(argv[2], recording);

	return recording ? record(fd, file, atoi(argv[4]))
			 : replay(fd, file, strcmp(argv[1], "flip") == 0);
}
