-- A node lets go of entries. What another node holds too is that one's alone from now on; of the rest it is noted that
-- they are being released, so that nobody yields them to this node any more.
-- KEYS: the leases; the dead; the record of the node. Records of other nodes lie beside it.
-- ARGV: the node; what the name of a record begins with; 1 when the entries were released and put back, else 0; the
-- entries.
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
for place = 4, #ARGV do
  local entry, isHeld = ARGV[place], false
  for _, record in ipairs(others) do
    isHeld = isHeld or redis.call('HGET', record, entry) == 'held'
  end
  -- A release that was broken off may have taken out what the other one had put in: it is gone through to its end.
  local isOpen = ARGV[3] == '0' and redis.call('HGET', KEYS[3], entry) == 'released'
  if isHeld and not isOpen then
    redis.call('HDEL', KEYS[3], entry)
  else
    redis.call('HSET', KEYS[3], entry, 'released')
    alone[#alone + 1] = entry
  end
end
return alone
