-- Checks of the standard libraries: each check compares with a value known beforehand.
local checks = 0
local function check(got, expected, what)
  checks = checks + 1
  if got ~= expected then
    error(("%s: %s instead of %s"):format(what, tostring(got), tostring(expected)), 2)
  end
end

-- string
check(("hello"):rep(3, "-"), "hello-hello-hello", "rep")
check(("hello"):sub(-3, -2), "ll", "sub")
check(("abc"):byte(2), 98, "byte")
check(string.char(76, 117, 97), "Lua", "char")
check(("Lua"):reverse():upper(), "AUL", "reverse, upper")
check(("key = value"):match("^(%w+)%s*=%s*(%w+)$"), "key", "match")
check(("f(a(b)c)d"):match("%b()"), "(a(b)c)", "balanced match")
check(("THE (quick) fox"):find("%((%a+)%)"), 5, "find")
check(("a.b"):find(".", 1, true), 2, "plain find")
check(("hello world"):gsub("o", "0", 1), "hell0 world", "gsub")
check(("$name is $age"):gsub("%$(%w+)", {name = "Lua", age = 30}), "Lua is 30", "gsub with a table")
check(("abc"):gsub("%w", function(c) return c .. c end), "aabbcc", "gsub with a function")
check(("THE (quick) fox"):gsub("%f[%a]%a+", "X"), "X (X) X", "frontier")
local words = {}
for word in ("one two  three"):gmatch("%a+") do words[#words + 1] = word end
check(table.concat(words, ","), "one,two,three", "gmatch")
check(("%5d|%-5s|%05.1f|%x|%q"):format(42, "ab", 3.14159, 255, 'a"b'), '   42|ab   |003.1|ff|"a\\"b"', "format")
check(("%.14g"):format(0.1), "0.1", "format of a float")
check(("%a"):format(1.0):sub(1, 2), "0x", "format in hexadecimal")
check(tostring(1e15), "1e+15", "tostring of a float")
check(tostring(-0.0), "-0.0", "negative zero")
check(tonumber("0x1p4"), 16.0, "hexadecimal float")
check(tonumber("  12  "), 12, "number with spaces")
check(tonumber("zz", 36), 1295, "number in base 36")
check(tonumber("1e"), nil, "no number")
check(string.pack("<i4 >I2 z s1", -2, 258, "hi", "yo"), "\xfe\xff\xff\xff\x01\x02hi\0\x02yo", "pack")
check(select(2, string.unpack("<i4 >I2", "\xfe\xff\xff\xff\x01\x02")), 258, "unpack")
check(string.packsize("<!8 i1 i8"), 16, "packsize with alignment")
check(load(string.dump(function(x) return x * 2 end))(21), 42, "dump and load")

-- table
local numbers = {}
for i = 1, 200 do numbers[i] = (i * 7919) % 211 end
table.sort(numbers)
local sorted = true
for i = 2, #numbers do sorted = sorted and numbers[i - 1] <= numbers[i] end
check(sorted, true, "sort")
table.sort(words, function(x, y) return #x > #y or (#x == #y and x < y) end)
check(table.concat(words, " "), "three one two", "sort by a function")
check((pcall(table.sort, {3, 1, 2, 5, 4, 7, 6, 9, 8}, function() return true end)) ~= nil, true, "bad order function")
check(table.remove(words, 1), "three", "remove")
table.insert(words, 2, "and")
check(table.concat(words, " "), "one and two", "insert")
check(table.concat(table.move({1, 2, 3}, 1, 3, 2, {0}), ","), "0,1,2,3", "move")
check(select("#", table.unpack({1, nil, 3}, 1, 3)), 3, "unpack")
check(table.pack(1, nil).n, 2, "pack")

-- math
check(math.type(3) .. math.type(3.0), "integerfloat", "type")
check(math.tointeger(3.0), 3, "tointeger")
check(math.tointeger(3.5), nil, "tointeger of a fraction")
check(math.ult(1, -1), true, "unsigned comparison")
check(math.fmod(-7, 3), -1, "fmod")
check(math.floor(-3.5) + math.ceil(-3.5), -7, "floor and ceil")
check(("%.10f"):format(math.sin(1) ^ 2 + math.cos(1) ^ 2), "1.0000000000", "sin and cos")
check(("%.6f"):format(math.log(8, 2) + math.exp(0) + math.sqrt(2)), "5.414214", "log, exp, sqrt")
math.randomseed(42)
local first = math.random(1, 1000000)
math.randomseed(42)
check(math.random(1, 1000000), first, "a seed repeats the sequence")

-- utf8
local text = "häß€𝄞"
check(utf8.len(text), 5, "length in characters")
check(utf8.codepoint(text, utf8.offset(text, 4)), 0x20AC, "offset, codepoint")
check(utf8.char(0x48, 0x20AC), "H€", "char")
check(utf8.len("\xff"), nil, "invalid sequence")

-- os, io
check(os.time({year = 2000, month = 1, day = 1, hour = 12}) -
      os.time({year = 1999, month = 12, day = 31, hour = 12}), 86400, "a day has 86,400 seconds")
check(os.date("!%Y-%m-%d %H:%M:%S", 86399), "1970-01-01 23:59:59", "date")
local name = os.tmpname()
local file = assert(io.open(name, "w"))
file:write("first\n", 12, " ", 0.5, "\nlast")
file:close()
local lines = {}
for line in io.lines(name) do lines[#lines + 1] = line end
check(table.concat(lines, "|"), "first|12 0.5|last", "lines")
file = assert(io.open(name))
file:read("l")
check(file:read("n") + file:read("n"), 12.5, "read numbers")
check(file:seek("set", 2), 2, "seek")
check(file:read(3), "rst", "read bytes")
file:close()
os.remove(name)
check(io.open(name), nil, "a missing file")

-- load, environments, debug
local environment = {x = 5}
check(load("x = x * 2; return x", "chunk", "t", environment)(), 10, "load with an environment")
check(environment.x, 10, "the environment was changed")
check(select(2, load("return +", "=name")):match("^name:1:"), "name:1:", "syntax error with its place")
check(debug.getinfo(1, "l").currentline > 100, true, "current line")
check(debug.traceback("here", 1):match("^here\nstack traceback:"), "here\nstack traceback:", "traceback")
local hooks = 0
debug.sethook(function() hooks = hooks + 1 end, "", 100)
for _ = 1, 10000 do end
debug.sethook()
check(hooks > 10, true, "count hook")

print(("library: %d checks passed"):format(checks))
