-- Puts rows of a batch view, each only where none of a later time stands.
-- KEYS  the heartbeats, then the rows
-- ARGV  the view, as_of ("" to say nothing); then for each row its bytes (2, event time as u64, values) and
--       seconds to live
for place = 2, #KEYS do
  local at = 3 + (place - 2) * 2
  local old = get(KEYS[place])
  local later = old and #old >= 9 and string.byte(old, 1) == 2 and u64(old, 2) > u64(ARGV[at], 2)
  if not later then redis.call('SET', KEYS[place], ARGV[at], 'EX', ARGV[at + 1]) end
end
if ARGV[2] ~= '' then
  local lines, names = heartbeats(KEYS[1])
  local line = lines[ARGV[1]]
  if not line then
    line = {ARGV[1], ARGV[2]}
    lines[ARGV[1]], names[#names + 1] = line, ARGV[1]
  end
  line[2] = larger(line[2], ARGV[2])
  write_heartbeats(KEYS[1], lines, names)
end
return {}
