/* SPDX-License-Identifier: MIT */
/*
 * TFTP requests with forged sources, as somebody on the network can send them: each from another
 * address of 10.0.0.0/8 and another port.
 *
 *	tftp_forge ADDRESS PORT NAME RATE SECONDS	RATE requests a second; needs root
 */
#include <arpa/inet.h>
#include <netinet/ip.h>
#include <netinet/udp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

#define NET 0x0a000000u		/* 10.0.0.0/8 */
#define PACKET_MAX 600

static uint64_t
clock_ns(void)
{
	struct timespec ts;

	(void)clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000000u + (uint64_t)ts.tv_nsec;
}

static uint32_t
any(void)
{
	static uint64_t state = 1;

	state = state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
	return (uint32_t)(state >> 32);
}

/* An RRQ with the options that make the answer longest; the kernel fills in the IP checksum. */
static size_t
build(uint8_t *packet, const char *name)
{
	static const char options[] = "octet\0blksize\0" "1468\0windowsize\0" "64\0tsize\0" "0";
	uint8_t *rrq = packet + sizeof(struct iphdr) + sizeof(struct udphdr);
	size_t name_len = strlen(name) + 1;

	rrq[0] = 0;
	rrq[1] = 1;
	memcpy(rrq + 2, name, name_len);
	memcpy(rrq + 2 + name_len, options, sizeof(options));
	return sizeof(struct iphdr) + sizeof(struct udphdr) + 2 + name_len + sizeof(options);
}

static void
forge(uint8_t *packet, size_t len, const struct sockaddr_in *to)
{
	struct iphdr ip = { .version = 4, .ihl = 5, .ttl = 64, .protocol = IPPROTO_UDP,
		.tot_len = htons((uint16_t)len), .saddr = htonl(NET | (any() & 0xfffffeu) | 1),
		.daddr = to->sin_addr.s_addr };
	struct udphdr udp = { .source = htons((uint16_t)(1024 + any() % 60000)),
		.dest = to->sin_port, .len = htons((uint16_t)(len - sizeof(ip))) };

	memcpy(packet, &ip, sizeof(ip));
	memcpy(packet + sizeof(ip), &udp, sizeof(udp));
}

int
main(int argc, char **argv)
{
	uint8_t packet[PACKET_MAX] = { 0 };
	struct sockaddr_in to = { .sin_family = AF_INET };
	int fd = socket(AF_INET, SOCK_RAW, IPPROTO_RAW);

	if (argc != 6 || strlen(argv[3]) > 255 || inet_pton(AF_INET, argv[1], &to.sin_addr) != 1)
		return 2;
	if (fd < 0) {
		perror("tftp_forge");
		return 1;
	}
	to.sin_port = htons((uint16_t)atoi(argv[2]));

	uint64_t rate = strtoull(argv[4], NULL, 10), total = rate * strtoull(argv[5], NULL, 10);
	uint64_t began = clock_ns(), sent = 0;
	size_t len = build(packet, argv[3]);

	for (uint64_t i = 0; i < total; i++) {
		uint64_t due = began + i * 1000000000u / rate, now = clock_ns();

		if (now < due) {
			struct timespec wait = { .tv_nsec = (long)(due - now) };

			(void)nanosleep(&wait, NULL);
		}
		forge(packet, len, &to);
		sent += sendto(fd, packet, len, 0, (struct sockaddr *)&to, sizeof(to)) > 0;
	}
	printf("sent=%llu\n", (unsigned long long)sent);
	return 0;
}
