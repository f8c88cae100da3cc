"""What the meter's server runs, each on one server and in one go. Django-free. valkey.py describes the values."""

from __future__ import annotations

from broadsheet.access.adapters.cluster import Script
from broadsheet.access.budget import EARNED_BY_A_METER, MOST_GROWTH

# Nearly always the server knows just what the cookie does, or nothing: then what its asker found in the cookie holds,
# and ARGV[8] is the value to be. Otherwise the two are added together here.
TAKE = Script("""
local value = redis.call('HGET', KEYS[1], ARGV[1])
if ARGV[8] ~= '' and (not value or string.sub(value, 3) == ARGV[3]) then
  redis.call('HSET', KEYS[1], ARGV[1], ARGV[8])
  if value then return (struct.unpack('>H', value)) end
  redis.call('EXPIRE', KEYS[1], ARGV[7])
  return 0
end
local reads, day = '', 0
if value then reads, day = string.sub(value, 3), struct.unpack('>H', value) end
local function split(packed)
  local stories, sections, i = {}, {}, 1
  while i <= #packed do
    local story = struct.unpack('>I4', packed, i)
    if story >= 2147483648 then
      stories[#stories + 1], sections[#sections + 1], i = story - 2147483648, string.sub(packed, i + 4, i + 5), i + 6
    else
      stories[#stories + 1], sections[#sections + 1], i = story, '', i + 4
    end
  end
  return stories, sections
end
local stories, sections = split(reads)
local function has(story)
  for _, other in ipairs(stories) do if other == story then return true end end
end
local function add(packed)
  local more, theirs = split(packed)
  for i, story in ipairs(more) do
    if not has(story) then
      stories[#stories + 1], sections[#sections + 1] = story, theirs[i]
      if theirs[i] == '' then reads = reads .. struct.pack('>I4', story)
      else reads = reads .. struct.pack('>I4', story + 2147483648) .. theirs[i] end
    end
  end
end
add(ARGV[3])
local asked, section = split(ARGV[2])
if has(asked[1]) then return {'repeat', reads, day} end
if #stories >= tonumber(ARGV[4]) then return {'limit', reads, day} end
if ARGV[5] ~= '' then
  local used = 0
  for _, other in ipairs(sections) do if other == section[1] then used = used + 1 end end
  if used >= tonumber(ARGV[5]) then return {'section_limit', reads, day} end
end
add(ARGV[2])
redis.call('HSET', KEYS[1], ARGV[1], struct.pack('>H', ARGV[6]) .. reads)
if not value then redis.call('EXPIRE', KEYS[1], ARGV[7]) end
return {'ok', reads, day}
""")

# A take as it goes over the wire: key, field, the read and what the cookie knows, then `rest`, then the value to be.
COMMAND = (
    b"*12\r\n$7\r\nEVALSHA\r\n$40\r\n%b\r\n$1\r\n1\r\n" % TAKE.digest
    + b"$%d\r\n%b\r\n$6\r\n%b\r\n$%d\r\n%b\r\n$%d\r\n%b\r\n%b$%d\r\n%b\r\n"
)

LOOK = Script("return redis.call('HGET', KEYS[1], ARGV[1])")

BUDGET = Script(
    """
local kind, budget, limit, ttl = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3]), ARGV[4]
if kind == 'begin' then
  for i, key in ipairs(KEYS) do
    local counts = redis.call('HMGET', key, 'begun', 'returned')
    local base = budget * tonumber(ARGV[4 + i])
    local earned = math.floor((tonumber(counts[2] or 0) or 0) * PART / (WHOLE * math.max(1, limit - 1)))
    if (tonumber(counts[1] or 0) or 0) >= math.min(base + earned, GROWTH * base) then return 0 end
  end
end
for _, key in ipairs(KEYS) do
  redis.call('HINCRBY', key, kind == 'begin' and 'begun' or 'returned', 1)
  redis.call('EXPIRE', key, ttl)
end
return 1
""".replace("PART", str(EARNED_BY_A_METER[0]))
    .replace("WHOLE", str(EARNED_BY_A_METER[1]))
    .replace("GROWTH", str(MOST_GROWTH))
)
