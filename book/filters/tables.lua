-- tables.lua - tables that scroll by themselves on a narrow page, and interleavings: a table with a column a thread.
--
-- A table is an interleaving where two or more of its headings begin with a word from `actors`, or where it stands in
-- ::: {.interleaving}. Its columns of threads are coloured, and a step in one thread shows that the others stand still.
local common = dofile((PANDOC_SCRIPT_FILE:gsub("[^/]*$", "")) .. "common.lua")

local actors = { thread = true, producer = true, consumer = true, worker = true, main = true, parent = true, child = true,
    reader = true, writer = true, philosopher = true, auditor = true, process = true, teller = true, caller = true,
    waiter = true, holder = true, spinner = true, sleeper = true }

local function is_actor(text)
    local first, second = text:lower():match("^(%a+)%s*(%a*)")
    return actors[first] or ((first == "the" or first == "a") and actors[second]) or false
end

-- { column = number of its thread } and how many there are.
local function threads_of(row)
    local threads, count = {}, 0
    for column, cell in ipairs(row.cells) do
        if is_actor(common.stringify(cell.contents)) then
            count = count + 1
            threads[column] = count
        end
    end
    return threads, count
end

local function style_row(row, threads)
    for column, cell in ipairs(row.cells) do
        local classes = pandoc.List(cell.attr.classes)
        if threads[column] then
            classes:extend({ "thread", "thread-" .. (threads[column] - 1) % 4 + 1 })
            if common.stringify(cell.contents) == "" then
                classes:insert("idle")
            end
        else
            classes:insert("state")
        end
        cell.attr = pandoc.Attr(cell.attr.identifier, classes, cell.attr.attributes)
    end
end

local function style(block, threads)
    for _, row in ipairs(block.head.rows) do
        style_row(row, threads)
    end
    for _, body in ipairs(block.bodies) do
        for _, row in ipairs(body.body) do
            style_row(row, threads)
        end
    end
end

function Table(block)
    local head = block.head.rows[1]
    local classes = { "scroll" }
    if head then
        local threads, count = threads_of(head)
        if count >= 2 then
            style(block, threads)
            classes = { "scroll", "interleaving" }
        end
    end
    for index, spec in ipairs(block.colspecs) do
        block.colspecs[index] = { spec[1], nil } -- as wide as its words, not as the dashes in the source
    end
    return pandoc.Div({ block }, pandoc.Attr("", classes, { tabindex = "0" }))
end
