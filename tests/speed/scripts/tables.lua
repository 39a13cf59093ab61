-- A sieve, sorting, and tables with names.
local sieve, count = {}, 0
for i = 2, 400000 do
  if not sieve[i] then
    count = count + 1
    for j = i * i, 400000, i do sieve[j] = true end
  end
end
local list, seed = {}, 1
for i = 1, 60000 do seed = seed * 1103515245 + 12345 & 0x7fffffff; list[i] = seed end
table.sort(list)
local words = {}
for i = 1, 200000 do local key = "k" .. i % 977; words[key] = (words[key] or 0) + i end
print(count, list[1], list[#list], words.k5)
