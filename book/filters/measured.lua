-- measured.lua - plots and numbers from book/measured/CH/NAME.tsv, with machine and date.
--
--   ::: {.measured name="01-threads/thread_cost" caption="…"}       the plot, the data folded under it
--   :::
--   []{.value name="01-threads/thread_cost" row="thread" column="create_us"}      one number in a sentence
--
-- The data was written by `make measure`; the plot is drawn by book/measure/CH/NAME.gp after book/common.gp.
local common = dofile((PANDOC_SCRIPT_FILE:gsub("[^/]*$", "")) .. "common.lua")

local BUSY_PERCENT = 10 -- as in measure.sh

local units = { ns = "ns", us = "µs", ms = "ms", s = "s", kb = "KB", mb = "MB", mib = "MiB", percent = "%" }
local months = { "January", "February", "March", "April", "May", "June", "July", "August", "September", "October",
    "November", "December" }

local function cells_of(line)
    local cells = {}
    for cell in (line .. "\t"):gmatch("(.-)\t") do
        cells[#cells + 1] = cell
    end
    return cells
end

-- The file as { about = { machine = …, … }, names = { … }, rows = { { … }, … } }.
local function data_of(name, words)
    local path = "book/measured/" .. name .. ".tsv"
    local text = common.read(path)
    if not text then
        common.fail(words, path .. " is not there: run make measure")
    end
    local data = { path = path, about = {}, rows = {} }
    for number, line in ipairs(common.lines(text)) do
        local key, value = line:match("^#%s*(%w+):%s*(.-)%s*$")
        if key then
            data.about[key] = value
        elseif not line:match("^#") and line ~= "" then
            local cells = cells_of(line)
            if data.names and #cells ~= #data.names then
                common.fail(words, path .. ":" .. number .. ": " .. #cells .. " cells under " .. #data.names
                    .. " names: run make measure")
            elseif data.names then
                table.insert(data.rows, cells)
            else
                data.names = cells
            end
        end
    end
    if #data.rows == 0 or not data.about.machine or not data.about.date then
        common.fail(words, path .. " has no rows, or does not say machine and date: run make measure")
    end
    return data
end

-- "create_us" -> "create", "µs"
local function unit_of(name)
    if name:match("_per_s$") then -- a rate: no unit of time
        return name, nil
    end
    local stem, unit = name:match("^(.+)_(%a+)$")
    if stem and units[unit] then
        return stem, units[unit]
    end
    return name, nil
end

local function heading_of(name)
    local stem, unit = unit_of(name)
    return stem:gsub("_per_s$", " per second"):gsub("_", " ") .. (unit and (", " .. unit) or "")
end

local function date_text(date)
    local year, month, day = date:match("^(%d+)-(%d+)-(%d+)")
    return year and (tonumber(day) .. " " .. (months[tonumber(month)] or month) .. " " .. year) or date
end

local function about_text(about)
    local parts = { about.machine }
    for _, key in ipairs({ "kernel", "compiler" }) do
        if about[key] then
            parts[#parts + 1] = about[key]
        end
    end
    local text = "Measured on " .. table.concat(parts, "; ") .. "; " .. date_text(about.date) .. "."
    local others = tonumber((about.others or ""):match("^%d+")) or 0
    if others > BUSY_PERCENT then
        text = text .. " Other programs used " .. others .. " % of the machine meanwhile, so take the figures with care."
    end
    return text
end

local function is_number(text)
    return tonumber(text) ~= nil
end

local function table_of(data)
    local aligns, heads, rows = {}, {}, {}
    for column, name in ipairs(data.names) do
        aligns[column] = is_number(data.rows[1][column]) and "AlignRight" or "AlignLeft"
        heads[column] = { pandoc.Plain({ pandoc.Str(heading_of(name)) }) }
    end
    for number, cells in ipairs(data.rows) do
        rows[number] = {}
        for column, cell in ipairs(cells) do
            rows[number][column] = { pandoc.Plain({ pandoc.Str(cell) }) }
        end
    end
    local widths = {}
    for column = 1, #data.names do
        widths[column] = 0
    end
    return pandoc.utils.from_simple_table(pandoc.SimpleTable({}, aligns, widths, heads, rows))
end

local function figure(div)
    local name, caption = div.attributes.name, div.attributes.caption
    if not name or not caption then
        common.fail({ ".measured", name or "" }, 'a .measured figure needs name="CHAPTER/NAME" and caption="…"')
    end
    local words = { ".measured", name }
    local data = data_of(name, words)
    local script = "book/measure/" .. name .. ".gp"
    if not common.read(script) then
        common.fail(words, "there is no " .. script .. " to draw it")
    end
    local svg = common.run("gnuplot", { "-e", "data = '" .. data.path .. "'", "book/common.gp", script }, "", words)
    if not svg:find("</svg>", 1, true) then
        common.fail(words, script .. " drew nothing (it must set no terminal and no output)")
    end
    local inlines = common.inlines(caption)
    local label = div.attributes.alt or ("Plot: " .. common.stringify(inlines) .. " The numbers are in the table below.")
    local below = pandoc.List({ pandoc.Para({ pandoc.Str(about_text(data.about)) }) })
    below:extend(common.fold({ pandoc.Str("The numbers") }, { table_of(data) }, nil, "numbers"))
    return common.figure(common.inline_svg(svg, name:gsub("[^%w]", "-"), label), inlines, below, "plot")
end

function Div(div)
    if div.classes:includes("measured") then
        return figure(div)
    end
    return nil
end

-- 1234.56 with two significant digits is 1,200; units follow after a space that does not break.
local function number_text(text, digits)
    local number = tonumber(text)
    if not number or number == 0 then
        return text
    end
    local scale = 10 ^ (digits - 1 - math.floor(math.log(math.abs(number), 10)))
    local rounded = math.floor(number * scale + 0.5) / scale
    local decimals = math.max(0, math.floor(math.log(scale, 10) + 0.5))
    local whole, rest = string.format("%." .. decimals .. "f", rounded):match("^(%-?%d+)(.*)$")
    whole = whole:reverse():gsub("(%d%d%d)", "%1,"):reverse():gsub("^,", ""):gsub("^%-,", "-")
    return whole .. rest
end

function Span(span)
    if not span.classes:includes("value") then
        return nil
    end
    local name, row, column = span.attributes.name, span.attributes.row, span.attributes.column
    if not name or not row or not column then
        common.fail({ ".value", name or "" }, 'a .value needs name="CHAPTER/NAME", row="…" and column="…"')
    end
    local words = { ".value", name, row, column }
    local data = data_of(name, words)
    for index, title in ipairs(data.names) do
        for _, cells in ipairs(title == column and data.rows or {}) do
            if cells[1] == row then
                local _, unit = unit_of(column)
                local text = number_text(cells[index], tonumber(span.attributes.digits) or 2)
                return pandoc.Str(text .. (unit and ("\u{a0}" .. unit) or ""))
            end
        end
    end
    common.fail(words, data.path .. " has no row " .. row .. " with a column " .. column)
end
