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

-- The lines of the heartbeats by their first word, and these words in their order.
local function heartbeats(key)
  local lines, names = {}, {}
  for line in string.gmatch(redis.call('GET', key) or '', '[^\n]+') do
    local words = {}
    for word in string.gmatch(line, '%S+') do words[#words + 1] = word end
    if lines[words[1]] == nil then names[#names + 1] = words[1] end
    lines[words[1]] = words
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
