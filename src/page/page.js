// SPDX-License-Identifier: MIT
// Asks the daemon every two seconds and shows what it says. What comes from the network is put in as
// text, never as markup.
'use strict';

const PERIOD_MS = 2000;
let last = null;	// the status before, and when, for rates

function element(name, className, text) {
	const e = document.createElement(name);
	if (className) e.className = className;
	if (text !== undefined) e.textContent = text;
	return e;
}

function count(n) {
	return n.toLocaleString('en').replaceAll(',', '\u202f');
}

function bytes(n) {
	const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];
	let i = 0;
	while (n >= 1024 && i < units.length - 1) { n /= 1024; i++; }
	return (i === 0 || n >= 100 ? Math.round(n) : n.toFixed(1)) + ' ' + units[i];
}

function duration(s) {
	if (s < 120) return Math.round(s) + ' s';
	if (s < 7200) return Math.round(s / 60) + ' min';
	if (s < 172800) return Math.round(s / 3600) + ' h';
	return Math.round(s / 86400) + ' days';
}

function percent(part, whole) {
	return whole ? Math.round(100 * part / whole) + ' %' : '–';
}

// Per second since the last time; nothing at first.
function rate(path, now, format) {
	if (last === null) return '';
	const before = path.reduce((o, k) => o?.[k], last.status);
	const after = path.reduce((o, k) => o?.[k], now);
	const seconds = (performance.now() - last.at) / 1000;
	if (before === undefined || after < before) return '';
	return ', ' + format((after - before) / seconds) + '/s';
}

function numbers(list) {
	const box = element('div', 'numbers');
	for (const [label, value, bad] of list) {
		const n = element('div', bad ? 'number bad' : 'number');
		n.append(element('b', '', value), element('span', '', label));
		box.append(n);
	}
	return box;
}

// columns: [[heading, how to get the cell of a row, 'count' for numbers], …]
function table(title, rows, columns, nothing) {
	const box = element('section');
	box.append(element('h3', '', title));
	if (rows.length === 0) {
		box.append(element('p', 'nothing', nothing));
		return box;
	}
	const t = element('table'), head = element('tr');
	for (const [heading, , kind] of columns) head.append(element('th', kind, heading));
	t.append(head);
	for (const row of rows) {
		const tr = element('tr');
		for (const [, cell, kind] of columns) {
			const value = cell(row);
			tr.append(element('td', kind === 'state' ? value : kind, value));
		}
		t.append(tr);
	}
	const wide = element('div', 'wide');
	wide.append(t);
	box.append(wide);
	return box;
}

function part(title, ...children) {
	const s = element('section');
	s.append(element('h2', '', title), ...children);
	return s;
}

function side(...tables) {
	const box = element('div', 'tables');
	box.append(...tables);
	return box;
}

function dnsPart(now, upstreams, top) {
	const d = now.dns, c = d.cache;
	const own = d.answered_fresh + d.answered_stale + d.answered_local + d.blocked;
	const top10 = (list, key) => (list ?? []).slice(0, 10).map(r => [r[key], r.queries]);
	const tops = (title, list, key, nothing) => table(title, top10(list, key),
		[[key, r => r[0]], ['queries', r => count(r[1]), 'count']], nothing);
	return part('DNS',
		numbers([
			['queries' + rate(['dns', 'queries'], now, n => n.toFixed(1)), count(d.queries)],
			['answered without asking', percent(own, d.queries)],
			['blocked', count(d.blocked) + ' (' + percent(d.blocked, d.queries) + ')'],
			['an upstream takes', (d.upstream_mean_us / 1000).toFixed(1) + ' ms'],
			['failures (SERVFAIL)', count(d.servfail), d.servfail > d.queries / 20],
			['answered past their time', count(d.answered_stale)],
			['names of the house', count(d.local?.names ?? 0)],
			['cached', count(c.entries) + ' in ' + bytes(c.bytes)],
		]),
		table('Upstream servers', upstreams?.servers ?? [], [
			['server', s => s.server], ['state', s => s.state, 'state'],
			['round trip', s => s.srtt_ms ? s.srtt_ms.toFixed(1) + ' ms' : '–', 'count'],
			['sent', s => count(s.sent), 'count'], ['answers', s => count(s.answers), 'count'],
			['unanswered', s => count(s.timeouts + s.unreachable), 'count'],
			['forged or odd', s => count(s.mismatch_id + s.mismatch_question + s.mismatch_case +
				s.malformed + s.bad_cookie), 'count'],
		], 'none'),
		table('Lists', d.lists ?? [], [
			['list', l => l.block], ['names', l => count(l.names), 'count'],
			['blocked', l => count(l.blocked), 'count'],
			['state', l => l.files.every(f => f.state === 'read') ? 'read' : 'not all read'],
		], 'none'),
		side(tops('Asked for most', top?.asked, 'name', 'nothing yet'),
			tops('Blocked most', top?.blocked, 'name', 'nothing yet'),
			tops('Who asks', top?.clients, 'client', 'nobody yet')));
}

function tftpPart(now, sessions) {
	const t = now.tftp;
	return part('TFTP',
		numbers([
			['transfers under way', count(t.reading + t.uploading)],
			['sent' + rate(['tftp', 'bytes_sent'], now, bytes), bytes(t.bytes_sent)],
			['received' + rate(['tftp', 'bytes_received'], now, bytes), bytes(t.bytes_received)],
			['finished', count(t.reads_done + t.uploads_done)],
			['broken off', count(t.reads_failed + t.uploads_failed)],
			['not found', count(t.not_found)],
		]),
		table('Transfers', sessions?.sessions ?? [], [
			['client', s => s.client], ['file', s => s.file],
			['done', s => s.percent !== undefined ? Math.floor(s.percent) + ' %' : '–', 'count'],
			['speed', s => s.MBps.toFixed(1) + ' MB/s', 'count'],
			['left', s => s.eta_s !== undefined ? duration(s.eta_s) : '–', 'count'],
		], 'none under way'));
}

function announcePart(now, list) {
	const a = now.announce;
	const text = t => Object.entries(t ?? {}).map(([k, v]) =>
		k + '=' + (typeof v === 'object' ? '…' : v)).join(' ');
	return part('Announcements',
		numbers([
			['announced', count(a.published)], ['events', count(a.events)],
			['datagrams sent', count(a.sent)], ['repairs', count(a.repairs)],
			['subscribers with a lease', count(a.leases)],
			['identity used by two hosts', a.identity_used_by_two_hosts ? 'yes' : 'no',
				a.identity_used_by_two_hosts],
		]),
		table('Topics', list?.published ?? [], [
			['topic', p => p.topic], ['text', p => text(p.text)],
			['lifetime', p => duration(p.lifetime_s), 'count'],
		], 'none'));
}

async function ask(path) {
	const answer = await fetch(path, { cache: 'no-store', signal: AbortSignal.timeout(10000) });
	if (!answer.ok) throw new Error(path + ': ' + answer.status);
	return answer.json();
}

// A question to a service: undefined where it cannot be answered now.
async function question(path) {
	try {
		const answer = await ask(path);
		return answer.ok ? answer.result : undefined;
	} catch {
		return undefined;
	}
}

async function renew() {
	const now = await ask('status.json'), parts = [];
	if (now.dns) {
		const [upstreams, top] = await Promise.all([question('ask/dns/upstreams'), question('ask/dns/top')]);
		parts.push(dnsPart(now, upstreams, top));
	}
	if (now.tftp) parts.push(tftpPart(now, await question('ask/tftp/sessions')));
	if (now.announce) parts.push(announcePart(now, await question('ask/announce/list')));
	document.getElementById('parts').replaceChildren(...parts);
	document.getElementById('about').textContent = 'version ' + now.hearthd.version + ', up for ' +
		duration(now.hearthd.uptime_s) + ', settings ' + now.hearthd.settings;
	last = { status: now, at: performance.now() };
}

async function turn() {
	const trouble = document.getElementById('trouble');
	try {
		if (!document.hidden) await renew();
		trouble.hidden = true;
	} catch (e) {
		trouble.textContent = 'no answer from hearthd (' + e.message + '); what is below is old';
		trouble.hidden = false;
	}
	setTimeout(turn, PERIOD_MS);
}

turn();
