-- How rows and heartbeats are laid out. Put before each of the other scripts.
-- A row is the byte 3 and segments; features/segments.py has their layout. Redis has a library for such
-- structures, which not everything that speaks its protocol has.
local HEADER, INCREMENT = 26, 17

local function u32(text, at)
  local a, b, c, d = string.byte(text, at, at + 3)
  return a + b * 256 + c * 65536 + d * 16777216
end

local function u64(text, at) -- exact up to 2^53
  return u32(text, at) + u32(text, at + 4) * 4294967296
end

local function pack32(value)
  local floor = math.floor
  return string.char(value % 256, floor(value / 256) % 256, floor(value / 65536) % 256, floor(value / 16777216))
end

local function pack64(value)
  return pack32(value % 4294967296) .. pack32(math.floor(value / 4294967296))
end

-- The segments of a row, or nil where the bytes are no row.
local function segments(row)
  if string.byte(row, 1) ~= 3 then return nil end
  local found, at, size = {}, 2, #row
  while at <= size do
    if at + HEADER - 1 > size then return nil end
    local length = u32(row, at + 22)
    local last = at + HEADER + length - 1
    if last > size or length % INCREMENT ~= 0 then return nil end
    found[#found + 1] = {
      partition = string.sub(row, at, at + 1), position = u64(row, at + 2),
      first = at, last = last, length = length,
    }
    at = last + 1
  end
  return found
end

-- The text of a key, or false. What is no text is not ours, and would stop every batch that it is part of:
-- it is taken away.
local function get(key)
  local found = redis.pcall('GET', key)
  if type(found) ~= 'table' then return found end
  if not string.find(tostring(found.err), 'WRONGTYPE', 1, true) then error(found.err) end
  redis.call('UNLINK', key)
  return false
end

-- Whether it is `product_catalogue 1763740000000`, or `0 1234 1240 1763740000000 1763739999000`.
local function is_beat(words)
  if #words ~= 2 and #words ~= 5 then return false end
  for place = (#words == 2) and 2 or 1, #words do
    if not tonumber(words[place]) then return false end
  end
  return true
end

-- The lines of the heartbeats by their first word, and these words in their order.
local function heartbeats(key)
  local lines, names = {}, {}
  for line in string.gmatch(get(key) or '', '[^\n]+') do
    local words = {}
    for word in string.gmatch(line, '%S+') do words[#words + 1] = word end
    if is_beat(words) and lines[words[1]] == nil then names[#names + 1] = words[1] end
    if is_beat(words) then lines[words[1]] = words end
  end
  return lines, names
end

local function write_heartbeats(key, lines, names)
  local text = {}
  for place, name in ipairs(names) do text[place] = table.concat(lines[name], ' ') end
  redis.call('SET', key, table.concat(text, '\n'))
end

-- The larger of two numbers that stand as text, as text: 64 bits have more digits than %.14g writes.
local function larger(one, other)
  if tonumber(one) >= tonumber(other) then return one end
  return other
end
