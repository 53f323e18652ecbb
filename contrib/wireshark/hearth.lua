-- SPDX-License-Identifier: MIT
-- Wireshark and tshark: the beacon protocol of hearth (docs/beacon-format.md).
--
--	tshark -X lua_script:hearth.lua -r capture.pcap -V
--	mkdir -p ~/.local/lib/wireshark/plugins && cp hearth.lua ~/.local/lib/wireshark/plugins/
--
-- Sealed bodies stay closed: the group key is no business of a capture. Their lengths are shown.

local beacon = Proto("hearth", "hearth beacon")

local HEADER = 80
local TAG, SIGNATURE = 16, 64
local PORT = 7665

local types = { [1] = "EVENT", [2] = "STATE", [3] = "WITHDRAW", [4] = "DIGEST", [5] = "NACK",
	[6] = "SOLICIT", [7] = "LEASE", [8] = "KEYROLL" }
local contents = { [0] = "text", [1] = "opaque", [2] = "cbor", [3] = "json" }
local lease_kinds = { [1] = "ask", [2] = "challenge", [3] = "confirm", [4] = "grant", [5] = "end" }

local f = {
	magic = ProtoField.string("hearth.magic", "Magic"),
	version = ProtoField.uint8("hearth.version", "Version"),
	min_version = ProtoField.uint8("hearth.min_version", "Readers need version"),
	type = ProtoField.uint8("hearth.type", "Type", base.DEC, types),
	flags = ProtoField.uint8("hearth.flags", "Flags", base.HEX),
	sealed = ProtoField.bool("hearth.flags.sealed", "Sealed", 8, nil, 0x01),
	signed = ProtoField.bool("hearth.flags.signed", "Signed", 8, nil, 0x02),
	frag = ProtoField.bool("hearth.flags.frag", "Fragment", 8, nil, 0x04),
	noclock = ProtoField.bool("hearth.flags.noclock", "No clock", 8, nil, 0x08),
	hdr_len = ProtoField.uint16("hearth.hdr_len", "Header length"),
	body_len = ProtoField.uint16("hearth.body_len", "Body length"),
	key_id = ProtoField.uint32("hearth.key_id", "Group key id", base.HEX),
	sender = ProtoField.uint64("hearth.sender", "Sender id", base.HEX),
	epoch = ProtoField.uint64("hearth.epoch", "Epoch"),
	seq = ProtoField.uint64("hearth.seq", "Sequence number"),
	time = ProtoField.uint64("hearth.time", "Time (ms)"),
	nonce = ProtoField.bytes("hearth.nonce", "Nonce"),
	lifetime = ProtoField.uint32("hearth.lifetime", "Lifetime (s)"),
	frag_index = ProtoField.uint8("hearth.frag.index", "Fragment index"),
	frag_count = ProtoField.uint8("hearth.frag.count", "Fragments"),
	extensions = ProtoField.bytes("hearth.extensions", "Extensions"),
	sealed_body = ProtoField.bytes("hearth.sealed", "Sealed body"),
	tag = ProtoField.bytes("hearth.tag", "Tag"),
	signature = ProtoField.bytes("hearth.signature", "Signature"),
	topic = ProtoField.string("hearth.topic", "Topic"),
	ctype = ProtoField.uint8("hearth.content", "Content", base.DEC, contents),
	rev = ProtoField.uint32("hearth.rev", "Revision"),
	text = ProtoField.string("hearth.text", "Text"),
	payload = ProtoField.bytes("hearth.payload", "Payload"),
	key = ProtoField.bytes("hearth.key", "Public key"),
	repair_from = ProtoField.uint64("hearth.digest.repair_from", "Can repair from"),
	list_rev = ProtoField.uint32("hearth.digest.list_rev", "Listing revision"),
	page = ProtoField.string("hearth.digest.page", "Page"),
	echo = ProtoField.bytes("hearth.digest.token", "Echo of token"),
	base = ProtoField.uint64("hearth.digest.base", "Sent before it came"),
	hash = ProtoField.uint64("hearth.topic_hash", "Topic hash", base.HEX),
	entry_seq = ProtoField.uint64("hearth.digest.seq", "Last sent as"),
	target = ProtoField.uint64("hearth.target", "Target sender", base.HEX),
	range_first = ProtoField.uint64("hearth.nack.first", "Missing from"),
	range_count = ProtoField.uint16("hearth.nack.count", "How many"),
	token = ProtoField.bytes("hearth.token", "Token"),
	lease_kind = ProtoField.uint8("hearth.lease.kind", "Kind", base.DEC, lease_kinds),
	lease_seconds = ProtoField.uint32("hearth.lease.seconds", "Seconds"),
	cookie = ProtoField.bytes("hearth.lease.cookie", "Cookie"),
	proof = ProtoField.bytes("hearth.keyroll.proof", "Signature by the new key"),
}
beacon.fields = f

local malformed = ProtoExpert.new("hearth.malformed", "Malformed", expert.group.MALFORMED,
	expert.severity.ERROR)
beacon.experts = { malformed }

-- A cursor that refuses to run past the end: take(n) gives a range or nil.
local function cursor(buf)
	local at = 0
	return function(n)
		if at + n > buf:len() then return nil end
		local range = buf(at, n)
		at = at + n
		return range
	end, function() return buf:len() - at end
end

-- Add a field of n bytes; an error where they are missing.
local function add(tree, take, field, n)
	local range = take(n)
	if range == nil then error("short", 0) end
	tree:add(field, range)
	return range
end

local function pairs_of_text(tree, range)
	local at = 0
	while at < range:len() do
		local n = range(at, 1):uint()
		if at + 1 + n > range:len() then error("short", 0) end
		if n > 0 then tree:add(f.text, range(at + 1, n)) end
		at = at + 1 + n
	end
end

local function item(tree, buf, is_fragment)
	local take, left = cursor(buf)
	local n = take(1)
	if n == nil then error("short", 0) end
	add(tree, take, f.topic, n:uint())
	local content = add(tree, take, f.ctype, 1):uint()
	add(tree, take, f.rev, 4)
	if left() == 0 then return end
	local payload = take(left())
	tree:add(f.payload, payload)
	if content == 0 and not is_fragment then pairs_of_text(tree, payload) end
end

local function digest(tree, buf)
	local take = cursor(buf)
	add(tree, take, f.key, 32)
	add(tree, take, f.repair_from, 8)
	add(tree, take, f.list_rev, 4)
	local page, counts = take(2), take(2)
	if counts == nil then error("short", 0) end
	tree:add(f.page, page, string.format("%d of %d", page(0, 1):uint() + 1, page(1, 1):uint()))
	for _ = 1, counts(0, 1):uint() do
		add(tree, take, f.echo, 16)
		add(tree, take, f.base, 8)
	end
	for _ = 1, counts(1, 1):uint() do
		add(tree, take, f.hash, 8)
		add(tree, take, f.rev, 4)
		add(tree, take, f.entry_seq, 8)
	end
end

local function nack(tree, buf)
	local take = cursor(buf)
	add(tree, take, f.target, 8)
	add(tree, take, f.epoch, 8)
	local counts = take(2)
	if counts == nil then error("short", 0) end
	for _ = 1, counts(0, 1):uint() do
		add(tree, take, f.range_first, 8)
		add(tree, take, f.range_count, 2)
	end
	for _ = 1, counts(1, 1):uint() do add(tree, take, f.hash, 8) end
end

local function solicit(tree, buf)
	local take = cursor(buf)
	add(tree, take, f.token, 16)
	add(tree, take, f.target, 8)
end

local function lease(tree, buf)
	local take = cursor(buf)
	add(tree, take, f.lease_kind, 1)
	take(3)
	add(tree, take, f.lease_seconds, 4)
	add(tree, take, f.target, 8)
	add(tree, take, f.cookie, 16)
end

local function keyroll(tree, buf)
	local take = cursor(buf)
	add(tree, take, f.key, 32)
	add(tree, take, f.proof, 64)
end

local bodies = { [1] = item, [2] = item, [3] = item, [4] = digest, [5] = nack, [6] = solicit,
	[7] = lease, [8] = keyroll }

local function header(tree, buf)
	local take = cursor(buf)
	add(tree, take, f.magic, 4)
	add(tree, take, f.version, 1)
	add(tree, take, f.min_version, 1)
	add(tree, take, f.type, 1)
	local flags = take(1)
	local sub = tree:add(f.flags, flags)
	sub:add(f.sealed, flags)
	sub:add(f.signed, flags)
	sub:add(f.frag, flags)
	sub:add(f.noclock, flags)
	add(tree, take, f.hdr_len, 2)
	add(tree, take, f.body_len, 2)
	add(tree, take, f.key_id, 4)
	add(tree, take, f.sender, 8)
	add(tree, take, f.epoch, 8)
	add(tree, take, f.seq, 8)
	add(tree, take, f.time, 8)
	add(tree, take, f.nonce, 24)
	add(tree, take, f.lifetime, 4)
	add(tree, take, f.frag_index, 1)
	add(tree, take, f.frag_count, 1)
end

local function body(tree, buf, kind, flags)
	local sealed, signed = flags % 2 == 1, math.floor(flags / 2) % 2 == 1
	local fragment = math.floor(flags / 4) % 2 == 1
	local len = buf:len()

	if sealed then
		if len < TAG then error("short", 0) end
		tree:add(f.sealed_body, buf(0, len - TAG))
		tree:add(f.tag, buf(len - TAG, TAG))
		return
	end
	if signed then
		if len < SIGNATURE then error("short", 0) end
		tree:add(f.signature, buf(len - SIGNATURE, SIGNATURE))
		len = len - SIGNATURE
	end
	if bodies[kind] ~= nil then bodies[kind](tree, buf(0, len):tvb(), fragment) end
end

function beacon.dissector(buf, pinfo, root)
	if buf:len() < HEADER or buf(0, 4):string() ~= "LAN!" then return 0 end

	local kind, flags = buf(6, 1):uint(), buf(7, 1):uint()
	local hdr_len, body_len = buf(8, 2):uint(), buf(10, 2):uint()
	local tree = root:add(beacon, buf())
	local what = types[kind] or ("type " .. kind)

	pinfo.cols.protocol = "BEACON"
	pinfo.cols.info = string.format("%s%s seq %s of %s", what,
		flags % 2 == 1 and " (sealed)" or "",
		buf(32, 8):uint64(), buf(16, 8):uint64():tohex())
	tree:append_text(", " .. what)
	header(tree, buf)
	if hdr_len < HEADER or hdr_len + body_len ~= buf:len() then
		tree:add_proto_expert_info(malformed, "lengths and datagram disagree")
		return buf:len()
	end
	if hdr_len > HEADER then tree:add(f.extensions, buf(HEADER, hdr_len - HEADER)) end
	if body_len > 0 and not pcall(body, tree, buf(hdr_len, body_len):tvb(), kind, flags) then
		tree:add_proto_expert_info(malformed, "a body shorter than its counts say")
	end
	return buf:len()
end

DissectorTable.get("udp.port"):add(PORT, beacon)
