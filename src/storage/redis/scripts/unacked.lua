-- Notes messages of a room that nobody has acknowledged, and strikes out those that somebody has.
-- KEYS: the room's sorted set.
-- ARGV: its life in ms; the oldest time that is kept; how many are kept; how many are noted; their times and ids, one
-- after the other; the ids of those that are acknowledged.
local noted = 4 + 2 * tonumber(ARGV[4])
if noted > 4 then
  redis.call('ZADD', KEYS[1], unpack(ARGV, 5, noted))
end
if #ARGV > noted then
  redis.call('ZREM', KEYS[1], unpack(ARGV, noted + 1))
end
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', '(' .. ARGV[2])
redis.call('ZREMRANGEBYRANK', KEYS[1], 0, -1 - ARGV[3])
redis.call('PEXPIRE', KEYS[1], ARGV[1])
return 1
