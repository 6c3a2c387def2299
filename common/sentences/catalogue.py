"""Every sentence that the cores, the readers and the programs say, as a template with named values.

They know no Django, so they speak English, and jobs, reports and decisions keep what they said. What stands
here is found by `makemessages`; `in_readers_language` finds the template that a sentence was made from. A
value written %(count)d is a number; one named in HOLDS_PHRASES may itself be one of the PHRASES.
"""

from django.utils.translation import gettext_noop as _

# Values that may be phrases of the catalogue; all others are people's own words and stay as they are.
HOLDS_PHRASES = frozenset(
    {
        "chosen",
        "corner",
        "counts",
        "of",
        "place",
        "refused",
        "fault",
        "remedy",
        "said",
        "sentence",
        "stage",
        "terms",
        "what",
        "why",
    }
)

SELECTION = (
    _("Its key is disputed: files differ, or a reviewer doubts it."),
    _("An expert can settle that."),
    _("The trace's answer does not agree with the key."),
    _("Its teachers sent only summaries of their thinking; an expert can choose one all the same."),
    _("An expert banned it."),
    _("It shares a passage with item %(item)d of the benchmark %(benchmark)s."),
    _("It shares a passage with the benchmark %(benchmark)s."),
    _("It is a near copy of question %(question)s, which is kept in its place."),
    _("It is a near copy of another question, which is kept in its place."),
    _("No teacher has answered it."),
    _("It shows the pattern %(pattern)s."),
    _("Solvers pass it: %(passes)d of %(attempts)d tries."),
    _("No solver has tried it."),
    _("Its trace has %(tokens)d tokens, and %(least)d are asked for."),
    _("An expert rates it %(rating)d, and %(least)d is asked for."),
    _("No expert has rated it."),
    _("It passed every criterion; the draw (%(draw)s) took %(counts)s."),
    _("An expert pinned it."),
    _("It is in the version %(version)s, from which this selection was branched."),
    _("Drawn %(place)s by %(method)s (%(draw)s): %(counts)s."),
    _("No question passed the criteria (%(counts)s); collect traces, or choose a milder method."),
    _("%(pinned)d questions are pinned and %(wanted)d wanted; ask for more, or unpin some."),
    _("%(sentence)s: bring in more, or loosen a criterion."),
)

# What stands in the values of sentences about a selection.
COUNTS = (
    _("%(taken)d of the %(there)d left in %(domain)s"),
    _("%(position)d of %(members)d"),
    _("%(count)d in the pool"),
    _("%(count)d dropped by %(stage)s"),
    _("%(count)d left"),
    _("%(taken)d of the %(there)d left in (no domain)"),
    _("%(wanted)d questions were wanted and %(selected)d selected (%(counts)s)"),
)
# A stage of the funnel is kept by its short name; pages show the words beside it.
STAGES = {
    "banned": "not banned",
    "branch": "still there of the version it was branched from",
    "copy": "no near copy",
    "difficulty": "difficulty",
    "draw": "diversity, drawn",
    "leak": "not in a benchmark",
    "quality": "quality of the question",
    "right": "answered right",
    "trace": "has a trace",
    "trace quality": "quality of the trace",
}

QUALITY = (
    _("The question holds drawing code ([asy]) instead of a figure."),
    _("The question refers to an image that is not there (![Image])."),
    _("The question holds a page or problem number from its source (p12.)."),
    _("The question holds numbering from its source in bold (**12**)."),
    _("The question speaks of a figure, and there is none."),
    _("The question holds signs that were read in a wrong encoding."),
    _("The numbered parts of the question do not begin with the first."),
    _("The trace was cut before its end."),
    _("The trace holds no thinking."),
    _("The trace ends without an answer."),
    _("The teacher declined to answer."),
    _("The trace repeats itself."),
    _("The trace is written in another language than the question."),
    _("There is a built-in pattern %(name)s; choose another name."),
    _("A pattern looks in %(places)s, not in %(place)s."),
    _("An expression has 1 to %(most)d characters; this one has %(length)d."),
    _("The expression %(expression)s cannot be used: %(why)s."),
    _("The expression %(expression)s is found in every text; make it say what to look for."),
)

METHODS = (
    _("The method has no name; give it one in the field name."),
    _("The method's %(name)s %(value)s is not one of %(choices)s."),
    _("The method's %(name)s is %(value)s; it is true or false."),
    _("The method's difficulty_by is %(value)s; it is a list of %(choices)s."),
    _(
        "The method judges length before there are traces; take length out of difficulty_by, or set "
        "before_traces to false."
    ),
    _("The method's %(name)s is %(value)s; it is a share, from 0 to 1."),
    _("The method's %(name)s is %(value)s; it is a whole number from %(least)d to %(most)d."),
    _("The method's patterns are %(value)s; it is a list of %(choices)s."),
    _("The method's %(name)s are no object; write a number for each %(of)s."),
    _("The method's %(name)s of %(key)s is %(value)s; it is a number, 0 or more."),
    _("There is no method %(name)s; there are %(choices)s."),
    _("A method has no field %(names)s; it has %(known)s."),
    _("The ranking %(name)s has no criterion, or one twice: %(criteria)s."),
    _("The ranking %(name)s names %(unknown)s; there are %(known)s."),
)

ROWS = (
    _("A cell holds lists in lists, too deep to read; write them as text."),
    _("The text has %(length)d characters, more than %(most)d; shorten it."),
    _("The marks are no number; write a number, or leave the cell empty."),
    _("The marks are negative or beyond 99,999; correct them."),
    _("The difficulty is none of 1 to 5, 易, 中 or 难, easy, medium or hard; correct it, or empty the cell."),
    _("There are %(count)d tags, more than %(most)d; keep those that matter."),
    _("A tag has %(length)d characters, more than %(most)d; shorten it, or part it with commas."),
    _("The mapping %(pair)s is no FIELD=COLUMN; write it as in question=题目."),
    _("The mapping names %(field)s twice; give each field one column."),
    _("There is no field %(field)s; there are %(known)s and 'option A' to 'option Z'."),
    _("The file has no column %(column)s for %(field)s; it has %(columns)s."),
    _("No column holds the question; the file has %(columns)s."),
    _("The options begin like a list but are none; mend it, or write one a line."),
    _("The options are named, but not A, B, C and on; name them so."),
    _("The key is a text of %(length)d characters that ends in no option; write the right option's letter."),
    _("The key is a number that no option says; write the right option's letter."),
    _("The key names several options in other words than theirs; write their letters, as in AC."),
    _(
        "The key may mean one of two options, both, or those between; write the right ones' letters, as in AC."
    ),
    _("The answer names %(letters)s, but the options end at %(last)s; correct one."),
    _("The question is empty; write it, or delete the row."),
    _("The row is empty; delete it."),
    _("There are %(count)d options, more than %(most)d; A to Z is the most."),
)

TRACES = (
    _("%(name)s has replies of %(makers)s side by side; say whose are wanted."),
    _("There is no field %(field)s of a trace; there are %(known)s."),
    _("%(name)s has no column %(column)s for %(field)s; it has %(columns)s."),
    _("%(name)s has no column %(column)s; it has %(columns)s."),
    _("%(name)s has neither a column question nor a column id; name the one that says which question."),
    _("The mapping %(pair)s is no FIELD=COLUMN; write it as in thinking=思考."),
)

FILES = (
    _("%(name)s is empty; export it again."),
    _("%(name)s is a web page or XML, not a table; save it as CSV or XLSX."),
    _("%(name)s is UTF-8 but for line %(line)d, which holds broken bytes; mend that line."),
    _("%(sentence)s; save it as CSV in UTF-8, or as XLSX."),
    _(
        "%(sentence)s; it looks like %(encoding)s; say which encoding it is in, or save it as CSV in UTF-8, or "
        "as XLSX."
    ),
    _("%(name)s is not in %(encoding)s: line %(line)d holds other bytes; %(remedy)s"),
    _("%(name)s is not in %(encoding)s, in which it is no text; %(remedy)s"),
    _("%(name)s has no column names in row %(row)d; choose the row that holds them."),
    _("%(name)s is packed twice; unpack it once and use what is inside."),
    _("%(name)s has more than %(most)d bytes, too many for its kind; split it."),
    _("%(name)s ends in the middle of its packed data; upload it again, whole."),
    _("%(name)s is a damaged packed file; pack it again."),
    _("%(name)s unpacks to more than %(most)d bytes; split it."),
    _("%(name)s unpacks to more than %(most)d times its size, as no table does; upload it unpacked."),
    _("%(name)s holds %(chosen)s; choose one of %(tables)s."),
    _("%(name)s is %(what)s, not a table; save it as CSV, XLSX, JSON or Parquet."),
    _("%(name)s is a tar archive, not a table; pack the tables as .zip, or each as .gz."),
    _("%(name)s is a folder, not a file; choose the files in it."),
    _("%(name)s is a damaged or cut-off workbook or archive; upload it again."),
    _("%(name)s is locked with a password; pack it without one."),
    _("%(name)s is locked with a password; save it without one."),
    _("%(name)s cannot be unpacked; pack it again as a plain .zip."),
    _("%(name)s holds %(count)d files, more than %(most)d; split it."),
    _("%(name)s holds a file named %(inner)s, which points outside it; pack it again."),
    _(
        "%(name)s is an archive or a document, not a workbook, and holds no table; unpack it, or save it as "
        "XLSX."
    ),
    _("%(name)s is a damaged Parquet file; export it again."),
    _("%(name)s is no valid JSON (%(why)s); export it again."),
    _("%(name)s, line %(line)d, has more than %(most)d bytes; write one question a line."),
    _("%(name)s, line %(line)d, is no valid JSON (%(why)s); mend that line."),
    _("%(name)s is one JSON value, not a list of questions; write one object a question."),
    _("%(name)s, record %(number)d, is no object with named fields; write one object a question."),
    _("%(name)s is no valid JSON in its beginning; export it again."),
    _("%(name)s, row %(row)d, goes on for more than %(most)d bytes without an end; export the file again."),
    _("%(name)s, line %(line)d, cannot be read%(why)s; check its quotes."),
    _("%(name)s, line %(line)d, opens a quote that is never closed; close or remove it."),
    _(
        "%(name)s, row %(row)d, has %(cells)d cells under %(columns)d column names; put quotes around cells "
        "that contain the separator."
    ),
    _("The column names are in row %(row)d."),
    _("%(name)s has %(columns)d columns, more than %(most)d; keep those of the questions."),
    _("%(name)s has two columns named %(column)s; rename one."),
    _("%(name)s has a column %(column)s with characters that cannot be shown; rename it."),
    _("%(name)s has more than %(most)d rows; split it."),
    _("%(name)s has more than %(most)d cells; split it, or leave out columns that are not needed."),
    _("%(name)s has a header but no rows; export it again."),
    _("%(name)s is empty in every row; export it again."),
    _("%(name)s has no sheet %(sheet)s; choose one of %(sheets)s."),
    _("%(name)s has nothing in its sheet %(sheet)s; choose another."),
    _("%(name)s has no sheet with anything in it; export it again."),
    _("Only the sheet %(sheet)s was read, not %(others)s."),
    _("%(name)s is no Excel workbook that can be read; save it as XLSX or CSV."),
    _(
        "%(name)s is not an Excel workbook but a text; save it as XLSX, or as CSV under a name ending in .csv."
    ),
    _("%(name)s has nothing in its sheet; export it again."),
    _("%(name)s is an archive or a document, not a workbook; unpack it, or save it as XLSX."),
    _("%(name)s unpacks to more than %(most)d bytes; split it, or save it as CSV."),
    _(
        "%(name)s has a sheet that reaches to %(corner)s, though most of it is empty; delete what stands far "
        "from the table, or save it as CSV."
    ),
)

# What stands in the values of sentences about files.
OF_FILES = (
    _("%(name)s is no table and no text in UTF-8, UTF-16 or GB18030"),
    _("choose another encoding, or let it be found out."),
    _("no table %(table)s"),
    _("%(count)d tables"),
    _("column %(column)d and row %(row)d"),
    _(": a cell has more than %(most)d characters"),
    _("line %(line)d, character %(place)d: %(fault)s"),
    _("character %(place)d: %(fault)s"),
    _("lists are nested too deep"),
    _("a number has too many digits"),
    _("a value is missing"),
    _("a name in double quotes is missing, or there is a comma too many"),
    _("there is a comma too many"),
    _("a colon is missing after a name"),
    _("a comma or a closing bracket is missing"),
    _("a quote is opened and never closed"),
    _("a text holds a line end or another control character; write it as \\n"),
    _("a backslash stands alone in a text; write it twice"),
    _("four hexadecimal digits are missing after \\u"),
    _("something follows the end of the value"),
    _("a PDF"),
    _("a picture"),
    _("a picture or a recording"),
    _("an old Office file"),
    _("a 7z archive"),
    _("a RAR archive"),
    _("a bzip2 archive"),
    _("an xz archive"),
    _("a Zstandard archive"),
    _("a program"),
    _("a database"),
)

EXPORTS = (
    _("A row is too long for a workbook, or there are too many; download the CSV."),
    _("There is no format %(format)s; there are %(known)s."),
    _("The dataset has no rows; there is nothing to write."),
    _("A sheet holds %(most)d rows, and there are more; download the CSV."),
    _("%(path)s cannot be written (%(why)s); name another folder, or make room in this one."),
)

# By which rule an answer was held against the key.
RULES = (
    _("a number under a condition"),
    _("the key word for word"),
    _("no key"),
    _("no final answer"),
    _("same letters in order"),
    _("other letters"),
    _("some of the parts"),
    _("some of the letters"),
    _("one answer or another"),
    _("same letters"),
    _("same words"),
    _("no option named"),
    _("other words"),
    _("another date"),
    _("same date"),
    _("same judgement"),
    _("same number, decimal comma"),
    _("same text"),
    _("same text, accents aside"),
    _("same first words"),
    _("same name, its kind aside"),
    _("other text"),
    _("same statements"),
    _("other statements"),
    _("same value"),
    _("same value, rounded"),
    _("another value"),
    _("not comparable"),
    _("same number"),
    _("same number, rounded as the key"),
    _("same number, percent sign aside"),
    _("same quantity in another unit"),
    _("same number, another unit"),
    _("another number"),
    _("the opposite word"),
    _("an expert"),
    _("assistant %(name)s"),
)

TRAINING = (
    _("The recipe's batch_size is %(batch)d; it is a multiple of rows_per_card %(rows)d."),
    _(
        "The recipe's sequence_parallel is %(cards)d and its layout %(layout)s; cards share packs alone, so choose "
        "the layout packed, or 1."
    ),
    _("The recipe's %(name)s is %(value)s; it is a number above %(low)s to %(high)s."),
    _("The recipe's %(name)s is %(value)s; it is a number from %(low)s to %(high)s."),
    _("The recipe's %(name)s is %(value)s; it is a whole number above %(low)s to %(high)s."),
    _("The recipe's %(name)s is %(value)s; it is a whole number from %(low)s to %(high)s."),
    _("The recipe's %(name)s is %(value)s; it is true or false."),
    _("The recipe's %(name)s is %(value)s; it is one of %(known)s."),
    _("%(given)s is no recipe; write an object with its fields, such as epochs."),
    _("A recipe has no field %(names)s; it has %(known)s."),
    _("A program works in %(folder)s already; this one ends."),
    _("The disk of %(folder)s is full (%(why)s); free some of it and start again."),
    _("%(error)s: %(words)s; the log has the details."),
    _("There is no backend %(name)s; there are %(known)s."),
    _("%(path)s cannot be read as a job (%(why)s); write it with base, rows and recipe."),
    _("%(path)s holds no object; write it with base, rows and recipe."),
    _("%(path)s does not name %(names)s."),
    _("%(path)s gives %(value)s threads; it is a whole number from 1."),
    _("The rows %(path)s cannot be read (%(why)s)."),
    _("Row %(row)d of the dataset cannot be trained on: %(refused)s"),
    _("%(count)d rows of the dataset cannot be trained on, row %(row)d first: %(refused)s"),
    _("%(path)s, line %(line)d, is no row of a dataset (%(why)s)."),
    _("The rows %(path)s are empty; there is nothing to train on."),
    _(
        "The base model's tokenizer has no single token for %(mark)s; choose the markup that it was made with."
    ),
    _("There is no model folder %(base)s; name one with config, weights and tokenizer."),
    _(
        "The base model %(base)s cannot be loaded (%(why)s); name a folder with config, weights and tokenizer."
    ),
    _("The base model %(base)s lacks %(count)d weights, %(first)s among them; copy it again."),
    _("The card ran out of memory; lower rows_per_card, or shard over more cards with zero3."),
    _("The card ran out of memory; take more cards, which makes packs smaller, or the layout rows."),
    _(
        "The tokenizer gives token %(largest)d and the model knows %(known)d: they do not belong together; "
        "name a base model with its own tokenizer."
    ),
    _(
        "The recipe's batch_size %(batch)d is no multiple of the %(rows)d rows that the cards take at once; "
        "change batch_size, rows_per_card or the number of cards."
    ),
    _(
        "The %(processes)d cards cannot share packs by %(cards)d; change sequence_parallel or the number of cards."
    ),
    _(
        "The recipe's batch_size %(batch)d is too small for %(packs)d packs; raise batch_size, or take fewer cards."
    ),
    _("The attention of a %(kind)s model cannot be shared among cards; set sequence_parallel to 1."),
    _(
        "The base model has %(heads)d heads of keys, which %(cards)d cards cannot divide; change sequence_parallel."
    ),
    _(
        "At step %(step)d the loss is %(loss)s and the gradient's norm %(norm)s; lower the learning rate, "
        "which was %(rate)s."
    ),
    _(
        "The state %(state)s was saved by %(saved)d processes and there are %(now)d now; start as many again, "
        "or delete %(folder)s to begin anew."
    ),
    _("The trained weight %(name)s holds values that are no numbers; lower the learning rate."),
    _("Of %(count)d weights %(missing)d were not saved, %(first)s among them; start again."),
)
OF_TRAINING = (
    _("a text holds the model's own markup (%(start)s or %(end)s); take it out."),
    _("it has %(length)d tokens, more than the recipe's max_length %(most)d; raise that, or leave it out."),
    _("it has no thinking to learn from; leave it out."),
    _("its last token is not the model's end token; the tokenizer does not know this markup."),
)

EVALUATION = (
    _(
        "The model's tokenizer writes %(mark)s as %(count)d tokens; choose the markup that the model was trained with."
    ),
    _("A policy with extensions needs an extension_word, such as Wait."),
    _("A policy's label has at most %(most)d characters; shorten %(label)s."),
    _("A policy's %(name)s is %(value)s; it is a whole number from %(low)d to %(high)d."),
    _("A policy's %(name)s is %(value)s; it is a text."),
    _("%(given)s is no budget policy; write an object with max_tokens, or a list of them."),
    _("No budget policy is given; name at least one budget, such as 512."),
    _("A policy has no %(wrong)s; it has %(known)s."),
    _("A policy does not name its max_tokens."),
    _("Two policies are the same or share a label: %(labels)s."),
    _("The policies extend by different words; a thought is shared only under one."),
    _("Evaluate twice."),
    _(
        "The question %(id)s has %(asked)d tokens; with %(tokens)d for thinking and answer it does not fit the "
        "model's %(context)d: lower the largest budget by %(over)d or leave the question out."
    ),
    _("There is no engine %(engine)s; there are transformers and vllm."),
    _("%(path)s cannot be read as a job (%(why)s)."),
    _("%(path)s holds no object; write it with model, markup, items and policies."),
    _("%(path)s names the markup %(markup)s; there are %(known)s."),
    _("%(path)s gives %(name)s as %(value)s; it is a whole number above 0."),
    _("%(path)s cannot be read (%(why)s)."),
    _("%(path)s is empty; there is nothing to ask."),
    _("Question %(number)d of %(path)s has no id and prompt; give both as texts."),
    _("Question %(number)d of %(path)s has the id %(id)s of an earlier one."),
    _("%(path)s holds answers under other policies; take a new folder for this job."),
    _("There is no precision %(name)s to load a model in; there are %(known)s."),
    _(
        "The model %(model)s cannot be loaded (no such folder); name a folder with config, weights and tokenizer."
    ),
    _("The model %(model)s cannot be loaded (%(why)s); name a folder with config, weights and tokenizer."),
)

# What a program is at, as its progress says it.
PHASES = (_("loading"), _("thinking"), _("training"), _("saving"), _("checking"))

# What an endpoint did; the sentence begins with ENDPOINT.
ENDPOINT = _("%(name)s at %(address)s")
FAULTS = (
    _(
        "asks to be left alone for %(minutes)s minutes: %(said)s (status %(status)s). Go on with the order then."
    ),
    _("gave no answer: %(said)s (status %(status)s)"),
    _("gave no answer: %(said)s"),
    _("could not be asked: the key holds characters that no key has; enter it again."),
    _("sent %(kind)s, which is no reply of a model."),
    _("sent an event that is no JSON."),
    _("broke off in the middle of its answer."),
    _("sent nothing."),
    _("sent a reply that is no JSON object."),
    _("sent a choice without a message."),
    _("sent a reply without choices."),
    _("sent a choice that is none."),
    _("kept its answer back: %(why)s."),
    _("sent an empty answer."),
)
OF_FAULTS = (
    _("no words"),
    _("nothing answers there in time; is the server running, and can it be reached from here?"),
    _("it said nothing for too long."),
    _("it took too long in all."),
    _("the connection broke (%(why)s)."),
    _("nothing answers there; is the server running?"),
    _("no machine of that name is known; correct the address."),
    _("its certificate cannot be trusted (%(why)s); correct the address, or its server."),
    _("no secure connection came about; does the server speak https? (%(why)s)"),
    _("it cannot be reached (%(why)s); correct the address, or look at the network."),
)
ENDPOINTS = (
    _("%(name)s at %(address)s sent a reply that is no list of vectors (%(why)s)."),
    _("%(name)s at %(address)s sent a reply that is no list of vectors."),
    _("%(name)s at %(address)s sent %(vectors)d vectors for %(texts)d texts; it sends one for each."),
    _("%(name)s at %(address)s sent vectors that are not lists of as many numbers each."),
    _("%(name)s at %(address)s sent vectors of %(length)d numbers; 1 to %(most)d can be kept."),
    _("%(name)s at %(address)s sent a vector that points nowhere (all zeros, or no numbers)."),
    _("The endpoint's key cannot be decrypted any more; enter it again."),
)

# What is known of the providers whose endpoints can be chosen.
PRESETS = (
    _("%(provider)s: %(terms)s (Read on %(day)s.)"),
    _("Their clauses on training were not read for this note: read them before you collect."),
    _(
        "DeepSeek's price list, in force since that day: peak hours, no cache; at other hours half of it is due."
    ),
    _(
        "Google's price page as it was read that day: paid tier, up to 200K tokens in, thinking counted as output."
    ),
    _(
        "DeepSeek puts its models under the MIT licence, and the model card of DeepSeek-R1 names distillation "
        "for training other models among what it allows."
    ),
    _("The terms of the platform were not read for this note."),
    _("Moonshot's price page of Kimi K3, quoted that day."),
    _("The terms of the Kimi open platform were last changed on 27 May 2026."),
    _("The platform fixes the temperature of its Kimi models at 1."),
    _("MiniMax's standard tier for up to 512K tokens in, as a guide read it on that day."),
    _("MiniMax has terms of service of its own."),
    _("A temperature of 0 is refused."),
    _("Alibaba Cloud Model Studio has terms of its own."),
    _("In mainland China the address is %(address)s."),
    _("Z.ai's price of the pay-per-use API, as a release note of that day quotes it."),
    _("Z.ai has terms of use of its own."),
    _(
        "It serves models of others, whose licences hold for their output; its own agreement was last changed "
        "on 22 May 2026."
    ),
    _("It serves models of others, whose licences hold for their output."),
    _(
        "A monitor of terms of service reports (29 April 2026) that Together forbids building competing "
        "products, without saying what competes."
    ),
    _("Read both before you collect."),
    _(
        "It passes requests on to others, whose terms and licences hold for their output: read those of the "
        "model that you choose."
    ),
    _("OpenRouter has terms of its own."),
    _("Its price depends on where a request is sent on to, so none is filled in."),
    _(
        "The additional terms of the Gemini API (in force since 20 May 2025) forbid using it to develop models "
        "that compete with it, and extracting or copying its models."
    ),
    _("It sends a summary of its thinking, which is no trace."),
    _("Gemini 3.8 Flash doubles in price on 1 January 2027."),
    _("A price tracker's list of what is in force from that day."),
    _("OpenAI's terms forbid using its output to develop models that compete with OpenAI."),
    _("It keeps its thinking back: there is nothing in its answers that reasoning could be learnt from."),
    _("One's own machine sends no bill."),
    _("The licence of the model's weights holds for its output; read it before you collect."),
    _("Start the server with --reasoning-parser, and give the name of the model that it serves."),
    _("Port 8000 is vLLM's own; where Qianti has it already, start the server on another, as --port 8001."),
    _("vLLM on a machine of one's own"),
)

SENTENCES = (
    *SELECTION,
    *QUALITY,
    *METHODS,
    *ROWS,
    *TRACES,
    *FILES,
    *EXPORTS,
    *RULES,
    *TRAINING,
    *EVALUATION,
    *PHASES,
    *ENDPOINTS,
    *PRESETS,
)
PHRASES = (*COUNTS, *OF_FILES, *OF_TRAINING, *OF_FAULTS)
# Words that a core keeps or says, and the message that stands for each.
WORDS = {
    **STAGES,
    "domain's code": _("code of a domain"),
    "source's name": _("name of a source"),
}
BETWEEN_VALUES = _("%(first)s, %(rest)s")
