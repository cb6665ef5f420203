-- A node strikes out of its record what it has released, but for entries that another node has begun to hold
-- meanwhile: they may have been taken out after that one had put them in.
-- KEYS: the leases; the dead; the record of the node. Records of other nodes lie beside it.
-- ARGV: the node; what the name of a record begins with; the entries.
-- Returns the entries that this node is to put back, and to let go of again.
local others = {}
for _, nodes in ipairs({ KEYS[1], KEYS[2] }) do
  for _, node in ipairs(redis.call('ZRANGE', nodes, 0, -1)) do
    if node ~= ARGV[1] then
      others[#others + 1] = ARGV[2] .. node
    end
  end
end
local again = {}
for place = 3, #ARGV do
  local entry, isHeld = ARGV[place], false
  for _, record in ipairs(others) do
    isHeld = isHeld or redis.call('HGET', record, entry) == 'held'
  end
  if isHeld then
    again[#again + 1] = entry
  else
    redis.call('HDEL', KEYS[3], entry)
  end
end
return again
