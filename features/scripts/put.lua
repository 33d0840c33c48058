-- Puts whole rows. One that is there already takes over what it did not know; one that is not there is let in
-- only where it knows as much as all others.
-- KEYS  the heartbeats, then the rows
-- ARGV  how far the rows know each partition, as "0@1234 1@1500"; then for each row its bytes and seconds to live
-- answers the places of the rows that were refused
local lines, names = heartbeats(KEYS[1])

local function let_in()
  local known, risen = {}, false
  local enough = true
  for partition, offset in string.gmatch(ARGV[1], '(%-?%d+)@(%d+)') do
    known[partition] = offset
    -- an emptied Redis: until the pipeline says how far it is by now, nobody can tell what these rows lack
    if tonumber(partition) >= 0 and not lines[partition] then enough = false end
  end
  for name, line in pairs(lines) do
    if #line == 5 then
      local offset = known[name] or '0'
      if tonumber(offset) < tonumber(line[3]) then
        enough = false
      elseif tonumber(offset) > tonumber(line[3]) then
        -- SQL is that far: a row that was read there before may lack what another gets before the heartbeat moves
        line[3], risen = offset, true
      end
    end
  end
  if risen then write_heartbeats(KEYS[1], lines, names) end
  return enough
end

-- Of each partition the segment that knows more; of two that know the same, the new one.
local function merged(old, old_segments, new)
  local standing, parts = {}, {'\3'}
  for _, segment in ipairs(old_segments) do standing[segment.partition] = segment end
  for _, segment in ipairs(segments(new)) do
    local other = standing[segment.partition]
    if not other or other.position <= segment.position then
      parts[#parts + 1] = string.sub(new, segment.first, segment.last)
      standing[segment.partition] = nil
    end
  end
  for _, segment in ipairs(old_segments) do
    if standing[segment.partition] then
      parts[#parts + 1] = string.sub(old, segment.first, segment.last)
    end
  end
  return table.concat(parts)
end

local enough, refused = let_in(), {}
for place = 2, #KEYS do
  local at = 2 + (place - 2) * 2
  local row, ttl = ARGV[at], tonumber(ARGV[at + 1])
  local old = get(KEYS[place])
  local old_segments = old and segments(old)
  if old_segments then
    ttl = math.max(ttl, redis.call('TTL', KEYS[place]))
    redis.call('SET', KEYS[place], merged(old, old_segments, row), 'EX', ttl)
  elseif enough then
    redis.call('SET', KEYS[place], row, 'EX', ttl)
  else
    refused[#refused + 1] = place - 2
  end
end
return refused
