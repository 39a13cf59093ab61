-- Small programs whose printed results depend on much of the interpreter.

local function queens(n)
  local columns, rising, falling, found = {}, {}, {}, 0
  local function place(row)
    if row > n then found = found + 1; return end
    for column = 1, n do
      if not (columns[column] or rising[row + column] or falling[row - column]) then
        columns[column], rising[row + column], falling[row - column] = true, true, true
        place(row + 1)
        columns[column], rising[row + column], falling[row - column] = nil, nil, nil
      end
    end
  end
  place(1)
  return found
end
print("queens", queens(7))

local function sieve(limit)
  local composite, primes = {}, {}
  for n = 2, limit do
    if not composite[n] then
      primes[#primes + 1] = n
      for multiple = n * n, limit, n do composite[multiple] = true end
    end
  end
  return primes
end
local primes = sieve(20000)
print("primes", #primes, primes[#primes])

local function mandelbrot(width, height)
  local rows = {}
  for y = 0, height - 1 do
    local row = {}
    for x = 0, width - 1 do
      local cr, ci, zr, zi, n = 2.5 * x / width - 2, 2 * y / height - 1, 0.0, 0.0, 0
      while n < 50 and zr * zr + zi * zi < 4 do
        zr, zi, n = zr * zr - zi * zi + cr, 2 * zr * zi + ci, n + 1
      end
      row[#row + 1] = n == 50 and "#" or n > 6 and "+" or "."
    end
    rows[#rows + 1] = table.concat(row)
  end
  return table.concat(rows, "\n")
end
print(mandelbrot(60, 20))

local function encode(value, keys)
  if type(value) == "table" then
    if #value > 0 then
      local parts = {}
      for i, item in ipairs(value) do parts[i] = encode(item) end
      return "[" .. table.concat(parts, ",") .. "]"
    end
    keys = {}
    for key in pairs(value) do keys[#keys + 1] = key end
    table.sort(keys)
    for i, key in ipairs(keys) do keys[i] = ("%q:%s"):format(key, encode(value[key])) end
    return "{" .. table.concat(keys, ",") .. "}"
  end
  return type(value) == "string" and ("%q"):format(value) or tostring(value)
end
print(encode({name = "cr1", list = {1, 2.5, "three", {deep = true}}, empty = {}}))

local function permutations(items)
  return coroutine.wrap(function()
    local function permute(n)
      if n == 0 then coroutine.yield(table.concat(items)) return end
      for i = 1, n do
        items[i], items[n] = items[n], items[i]
        permute(n - 1)
        items[i], items[n] = items[n], items[i]
      end
    end
    permute(#items)
  end)
end
local seen, last = 0, ""
for permutation in permutations({"a", "b", "c", "d", "e", "f"}) do seen, last = seen + 1, permutation end
print("permutations", seen, last)

local counts = {}
for word in ([[the quick brown fox jumps over the lazy dog the fox]]):gmatch("%a+") do
  counts[word] = (counts[word] or 0) + 1
end
local order = {}
for word in pairs(counts) do order[#order + 1] = word end
table.sort(order, function(x, y) return counts[x] > counts[y] or counts[x] == counts[y] and x < y end)
for i = 1, 4 do print(order[i], counts[order[i]]) end

local hash = 2166136261
for i = 1, 50000 do hash = ((hash ~ (i & 255)) * 16777619) & 0xFFFFFFFF end
print(("hash %08x"):format(hash))
