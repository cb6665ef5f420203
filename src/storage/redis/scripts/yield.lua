-- A node lets go of entries. What another node holds too is that one's alone from now on; of the rest it is noted that
-- they are being released, so that nobody yields them to this node any more.
-- KEYS: the leases; the dead; the record of the node. Records of other nodes lie beside it.
-- ARGV: the node; what the name of a record begins with; the entries.
-- Returns the entries that no other node holds.
local others = {}
for _, nodes in ipairs({ KEYS[1], KEYS[2] }) do
  for _, node in ipairs(redis.call('ZRANGE', nodes, 0, -1)) do
    if node ~= ARGV[1] then
      others[#others + 1] = ARGV[2] .. node
    end
  end
end
local alone = {}
for place = 3, #ARGV do
  local entry, isYielded = ARGV[place], false
  for _, record in ipairs(others) do
    isYielded = isYielded or redis.call('HGET', record, entry) == 'held'
  end
  if isYielded then
    redis.call('HDEL', KEYS[3], entry)
  else
    redis.call('HSET', KEYS[3], entry, 'released')
    alone[#alone + 1] = entry
  end
end
return alone
