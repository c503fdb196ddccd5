-- boxes.lua - exercise boxes, quick questions and folded references.
--
--   ::: {.exercise id="02-locks/rlock"}      title, points, files, command, contract and hints come from its own files
--   ::: {.question} … ::: {.answer} … ::: :::
--   ::: {.reference id="02-locks/rlock"}
local common = dofile((PANDOC_SCRIPT_FILE:gsub("[^/]*$", "")) .. "common.lua")

local boxed, explained, questions = {}, {}, 0
local walk -- forward: boxes may stand inside other Divs

-- Where the chapter asks for the box, for a message.
local function place(kind, id)
    return { "." .. kind, id }
end

local function exercise_of(kind, div)
    local id = div.identifier
    if id == "" then
        common.fail({ "." .. kind }, "a ." .. kind .. ' box needs id="CHAPTER/NAME"')
    end
    local exercise = common.exercise(id)
    if not exercise or not exercise.ini.exercise then
        common.fail(place(kind, id), "there is no exercise " .. id .. " (grader/checks/" .. id .. "/exercise.ini)")
    end
    return exercise
end

local function once(seen, kind, exercise)
    if seen[exercise.id] then
        common.fail(place(kind, exercise.id), exercise.id .. " has a second ." .. kind .. " box in this chapter")
    end
    if exercise.chapter ~= common.chapter_id() then
        common.fail(place(kind, exercise.id), exercise.id .. " belongs in chapters/" .. exercise.chapter .. ".md")
    end
    seen[exercise.id] = true
end

-- "10: tests 5, memory 2, races 3"
local function points_text(exercise)
    local parts = {}
    for _, stage in ipairs({ "build", "rules", "tests", "memory", "races", "interleavings", "timing" }) do
        local points = (exercise.ini.stages or {})[stage]
        if points then
            parts[#parts + 1] = stage .. " " .. points
        end
    end
    return (exercise.ini.exercise.points or "?") .. (#parts > 0 and (": " .. table.concat(parts, ", ")) or "")
end

-- The exercise's box, from its own page or from another chapter's.
local function link_to(id)
    local chapter, name = id:match("^(.-)/(.+)$")
    if not chapter then
        return pandoc.Code(id)
    end
    local page = chapter == common.chapter_id() and "" or (chapter .. ".html")
    return pandoc.Link({ pandoc.Code(name) }, page .. "#exercise-" .. name)
end

local function facts(exercise)
    local folder = "exercises/" .. exercise.id .. "/"
    local rows = {
        { { pandoc.Str("Points") }, { { pandoc.Plain({ pandoc.Str(points_text(exercise)) }) } } },
        { { pandoc.Str("Edit") }, { { pandoc.Plain({ pandoc.Code(folder .. exercise.name .. ".c") }) } } },
        { { pandoc.Str("Check") },
            { { pandoc.Plain({ pandoc.Code("make grade EX=" .. common.short_name(exercise)) }) } } },
    }
    local needs = pandoc.List({})
    for id in (exercise.ini.exercise.needs or ""):gmatch("[^%s,]+") do
        if #needs > 0 then
            needs:insert(pandoc.Str(", "))
        end
        needs:insert(link_to(id))
    end
    if #needs > 0 then
        table.insert(rows, 2, { { pandoc.Str("Built on") }, { { pandoc.Plain(needs) } } })
    end
    return pandoc.DefinitionList(rows)
end

-- hints.md: three sections, "## 1" to "## 3". Returns a list of three lists of blocks.
local function hints_of(exercise)
    local path = "grader/checks/" .. exercise.id .. "/hints.md"
    local text = common.read(path)
    if not text then
        common.fail(place("exercise", exercise.id), "there is no " .. path)
    end
    local hints = {}
    for _, block in ipairs(pandoc.read(text, "markdown").blocks) do
        if block.t == "Header" then
            hints[#hints + 1] = pandoc.List({})
            if common.stringify(block) ~= tostring(#hints) then
                common.fail(place("exercise", exercise.id), path .. ": expected ## " .. #hints .. ", found ## "
                    .. common.stringify(block))
            end
        elseif #hints > 0 then
            hints[#hints]:insert(block)
        end
    end
    if #hints ~= 3 then
        common.fail(place("exercise", exercise.id), path .. " has " .. #hints .. " hints (## 1, ## 2, ## 3); it needs 3")
    end
    return hints
end

local function contract(exercise)
    local path = "exercises/" .. exercise.id .. "/" .. exercise.name .. ".h"
    local code = common.listing(path, nil, place("exercise", exercise.id))
    return common.fold({ pandoc.Str("The contract: "), pandoc.Code(path) },
        { pandoc.CodeBlock(code, pandoc.Attr("", { "c" })) }, nil, "contract")
end

local function exercise_box(div, level)
    local exercise = exercise_of("exercise", div)
    once(boxed, "exercise", exercise)
    local anchor = "exercise-" .. exercise.name
    local title = exercise.ini.exercise.title or exercise.name
    local blocks = pandoc.List({
        pandoc.Header(level + 1, { pandoc.Span({ pandoc.Str("Exercise") }, pandoc.Attr("", { "kind" })), pandoc.Space(),
            pandoc.Str(title) }, pandoc.Attr(anchor .. "-title", { "unnumbered", "unlisted" })),
    })
    blocks:extend(div.content)
    blocks:insert(facts(exercise))
    blocks:extend(contract(exercise))
    for number, hint in ipairs(hints_of(exercise)) do
        local label = "Hint " .. number .. (number == 3 and ": nearly the answer" or "")
        blocks:extend(common.fold({ pandoc.Str(label) }, hint, nil, "hint"))
    end
    return pandoc.Div(blocks, pandoc.Attr(anchor, { "exercise" },
        { { "role", "region" }, { "aria-labelledby", anchor .. "-title" } }))
end

local function reference_box(div, level)
    local exercise = exercise_of("reference", div)
    once(explained, "reference", exercise)
    local blocks = walk(div.content, level)
    local summary = { pandoc.Str("The reference explained: "), pandoc.Code("solutions/" .. exercise.id .. ".c") }
    return pandoc.Div(common.fold(summary, blocks, "reference-" .. exercise.name, "fold"),
        pandoc.Attr("", { "reference" }))
end

local function question_box(div, level)
    questions = questions + 1
    local words = { common.stringify(div):match("^%S+%s*%S*%s*%S*") or ".question" }
    local blocks, answers = pandoc.List({}), 0
    blocks:insert(pandoc.Para({ pandoc.Strong({ pandoc.Str("Question " .. questions) }) }))
    for _, block in ipairs(div.content) do
        if block.t == "Div" and block.classes:includes("answer") then
            answers = answers + 1
            blocks:extend(common.fold({ pandoc.Str("Answer") }, walk(block.content, level), nil, "answer"))
        else
            blocks:insert(block)
        end
    end
    if answers ~= 1 then
        common.fail(words, "question " .. questions .. " (" .. common.stringify(div):sub(1, 40) .. "…) has " .. answers
            .. " .answer boxes; it needs 1")
    end
    return pandoc.Div(blocks, pandoc.Attr("question-" .. questions, { "question" }))
end

local boxes = { exercise = exercise_box, reference = reference_box, question = question_box }

local function div_box(div, level)
    for kind, make in pairs(boxes) do
        if div.classes:includes(kind) then
            return make(div, level)
        end
    end
    if div.classes:includes("answer") then
        common.fail({ ".answer" }, "an .answer box stands outside a .question box")
    end
    div.content = walk(div.content, level)
    return div
end

-- Replaces the boxes in a list of blocks. `level` is the level of the heading they stand under.
walk = function(blocks, level)
    local made = pandoc.List({})
    for _, block in ipairs(blocks) do
        if block.t == "Header" then
            level = block.level
        elseif block.t == "Div" then
            block = div_box(block, level)
        end
        made:insert(block)
    end
    return made
end

function Pandoc(doc)
    doc.blocks = walk(doc.blocks, 1)
    return doc
end
