-- Adds what a batch of one partition brought to rows, and moves the heartbeat of that partition.
-- KEYS  the heartbeats, then the rows
-- ARGV  partition, the same as i16, base, position, as_of, clock, "last" or "more" (a batch may come in
--       several calls: only the last one moves the heartbeat); then for each row its increments, seconds to
--       live, how many tiles it may span, and the cap of a new segment
-- answers {1, {absent rows}, {crowded rows}, bytes of the longest row, its place}, or {0, where the heartbeat stands} where it is not at the base
local partition, packed = ARGV[1], ARGV[2]
local base, position = tonumber(ARGV[3]), tonumber(ARGV[4])
local lines, names = heartbeats(KEYS[1])
local beat = lines[partition]
if beat and tonumber(beat[2]) ~= base and tonumber(beat[2]) ~= position then
  return {0, tonumber(beat[2])}
end

local function tiles(increments)
  local oldest, newest = u32(increments, 1), u32(increments, 1)
  for at = 1 + INCREMENT, #increments, INCREMENT do
    local tile = u32(increments, at)
    if tile < oldest then oldest = tile end
    if tile > newest then newest = tile end
  end
  return oldest, newest
end

local function own(found)
  for _, segment in ipairs(found) do
    if segment.partition == packed then return segment end
  end
  return {first = nil, position = base}
end

-- Whether the row is crowded now, and its bytes.
local function extend(key, row, segment, increments, ttl, span, cap)
  local oldest, newest = tiles(increments)
  local before, body, after, since = row, '', '', '\0\0\0\0'
  if segment.first then
    before = string.sub(row, 1, segment.first - 1)
    body = string.sub(row, segment.first + HEADER, segment.last)
    after = string.sub(row, segment.last + 1)
    oldest = math.min(oldest, u32(row, segment.first + 10))
    cap = u32(row, segment.first + 14)
    since = string.sub(row, segment.first + 18, segment.first + 21)
  end
  local length = #body + #increments
  local extended = table.concat({
    before, packed, pack64(position), pack32(oldest), pack32(cap), since, pack32(length), body, increments,
    after,
  })
  redis.call('SET', key, extended, 'EX', ttl)
  return length > cap * INCREMENT or newest - oldest > span, #extended
end

local absent, crowded, longest, whose = {}, {}, 0, 0
for place = 2, #KEYS do
  local at = 8 + (place - 2) * 4
  local row = get(KEYS[place])
  local found = row and segments(row)
  local segment = found and own(found)
  -- within the batch: nothing says which of these increments are in it
  if not segment or (segment.position > base and segment.position < position) then
    if row then redis.call('UNLINK', KEYS[place]) end
    absent[#absent + 1] = place - 2
  elseif segment.position <= base then
    local ttl, span, cap = ARGV[at + 1], tonumber(ARGV[at + 2]), tonumber(ARGV[at + 3])
    local full, size = extend(KEYS[place], row, segment, ARGV[at], ttl, span, cap)
    if full then crowded[#crowded + 1] = place - 2 end
    if size > longest then longest, whose = size, place - 2 end
  end
end

if not beat then
  beat = {partition, ARGV[3], ARGV[3], '0', '0'}
  lines[partition], names[#names + 1] = beat, partition
end
beat[3] = larger(beat[3], ARGV[4])
if ARGV[7] == 'last' then
  beat[2], beat[4], beat[5] = ARGV[4], larger(beat[4], ARGV[5]), larger(beat[5], ARGV[6])
end
write_heartbeats(KEYS[1], lines, names)
return {1, absent, crowded, longest, whose}
