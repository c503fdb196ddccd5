-- pictures.lua - pictures drawn by graphviz.
--
--   ```{.dot caption="Who waits for whom" alt="…" engine="neato"}     alt (else the caption) is read aloud
local common = dofile((PANDOC_SCRIPT_FILE:gsub("[^/]*$", "")) .. "common.lua")

local count = 0

-- What every picture has in common; a picture's own attributes win.
local look = {
    "-Gbgcolor=transparent", "-Gfontname=Helvetica,Arial,sans-serif", "-Gfontsize=13", "-Grankdir=LR", "-Gnodesep=0.35",
    "-Granksep=0.5", "-Nshape=box", "-Nstyle=rounded", "-Nfontname=Helvetica,Arial,sans-serif", "-Nfontsize=13",
    "-Nmargin=0.16,0.08", "-Nheight=0.4", "-Efontname=Helvetica,Arial,sans-serif", "-Efontsize=12", "-Earrowsize=0.8",
}
local engines = { dot = true, neato = true, circo = true, fdp = true, twopi = true }

function CodeBlock(block)
    if not block.classes:includes("dot") then
        return nil
    end
    local caption = block.attributes.caption
    if not caption then
        common.fail({ ".dot" }, 'a .dot picture needs caption="…"')
    end
    local words = { ".dot", caption }
    local engine = block.attributes.engine or "dot"
    if not engines[engine] then
        common.fail(words, "engine=" .. engine .. " is none of dot, neato, circo, fdp, twopi")
    end
    count = count + 1
    local arguments = pandoc.List({ "-Tsvg" })
    arguments:extend(look)
    local svg = common.run(engine, arguments, block.text, words)
    if not svg:find("<svg", 1, true) then
        common.fail(words, engine .. " drew nothing")
    end
    local inlines = common.inlines(caption)
    local label = block.attributes.alt or common.stringify(inlines)
    return common.figure(common.inline_svg(svg, "picture" .. count, label), inlines, nil, "picture")
end
