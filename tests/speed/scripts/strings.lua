-- Patterns, formats and joined strings.
local parts, count = {}, 0
for i = 1, 60000 do parts[i] = string.format("%d:%s", i, ("x"):rep(i % 7)) end
local text = table.concat(parts, ",")
for number, letters in text:gmatch("(%d+):(x*)") do count = count + #letters * (tonumber(number) % 3) end
local swapped = text:gsub("(%d)(%d)", "%2%1"):upper()
print(count, #text, swapped:sub(1, 40), (text:find("59999:", 1, true)))
