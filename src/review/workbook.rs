//! The workbook that people fill in.
//!
//! Every cell of the population is written as text, so that no name is ever a formula. The same population gives the
//! same bytes: the time in the file is that of the evidence.

use super::population::{ANSWERS, Decision, Frozen, Issue, Row, Sheet, layout};
use super::tables::{ACKNOWLEDGEMENT, STATEMENT, is_answer};
use rust_xlsxwriter::{
    Color, ConditionalFormatCell, ConditionalFormatCellRule, ConditionalFormatFormula, ConditionalFormatText,
    ConditionalFormatTextRule, DataValidation, DataValidationErrorStyle, DataValidationRule, DocProperties,
    ExcelDateTime, Format, FormatAlign, FormatBorder, Formula, Workbook, Worksheet, XlsxError,
};

const DARK: Color = Color::RGB(0x1F_3A_5F);
const PALE: Color = Color::RGB(0xF2_F4_F7);
const INPUT: Color = Color::RGB(0xFF_FB_E6);
const INPUT_HEAD: Color = Color::RGB(0xB4_6A_00);
const LINE: Color = Color::RGB(0xD5_DA_E1);
const RED: (Color, Color) = (Color::RGB(0xFD_E0_DD), Color::RGB(0x9C_1C_12));
const AMBER: (Color, Color) = (Color::RGB(0xFF_EB_C8), Color::RGB(0x8A_4B_00));
const GREEN: (Color, Color) = (Color::RGB(0xDF_F3_E3), Color::RGB(0x1B_5E_20));
const BLUE: (Color, Color) = (Color::RGB(0xE1_EC_FB), Color::RGB(0x1A_4A_8A));

/// The formats of all sheets.
struct Formats {
    head: Format,
    input_head: Format,
    text: Format,
    number: Format,
    name: Format,
    quiet: Format,
    input: Format,
    input_date: Format,
}

impl Formats {
    fn new() -> Self {
        let cell = || {
            Format::new()
                .set_font_name("Calibri")
                .set_font_size(10)
                .set_align(FormatAlign::Top)
                .set_text_wrap()
                .set_border(FormatBorder::Thin)
                .set_border_color(LINE)
        };
        let head = |color: Color| {
            cell()
                .set_bold()
                .set_font_color(Color::White)
                .set_background_color(color)
                .set_align(FormatAlign::VerticalCenter)
        };
        // As text, so that a spreadsheet takes nothing that is typed over it for a formula.
        let frozen = || cell().set_num_format("@").set_background_color(PALE);
        Self {
            head: head(DARK),
            input_head: head(INPUT_HEAD),
            text: frozen(),
            number: cell().set_background_color(PALE).set_align(FormatAlign::Center).set_align(FormatAlign::Top),
            name: frozen().set_bold(),
            quiet: frozen().set_font_color(Color::RGB(0x6B_72_80)).set_font_size(8),
            input: cell().set_num_format("@").set_background_color(INPUT),
            input_date: cell().set_num_format("yyyy-mm-dd").set_background_color(INPUT),
        }
    }
}

fn tint((fill, ink): (Color, Color)) -> Format {
    Format::new().set_background_color(fill).set_font_color(ink)
}

/// Makes the workbook that was handed out under a name.
pub(super) fn workbook(frozen: &Frozen, issue: &Issue, population_sha256: &str) -> Result<Vec<u8>, XlsxError> {
    let mut book = Workbook::new();
    book.set_properties(
        &DocProperties::new()
            .set_title("Access review")
            .set_author("auditpack")
            .set_creation_datetime(&date(frozen.opened.0.date_naive())?),
    );
    let formats = Formats::new();
    let rows_of = |sheet: Sheet| frozen.of(sheet).filter(|row| issue.holds(row)).collect::<Vec<&Row>>();
    instructions(book.add_worksheet(), frozen, issue, population_sha256)?;
    for sheet in Sheet::ALL {
        population(book.add_worksheet(), frozen, *sheet, &rows_of(*sheet), &formats)?;
    }
    acknowledgement(book.add_worksheet(), &formats)?;
    if !frozen.removed.is_empty() && issue.owner.is_none() {
        removed(book.add_worksheet(), frozen, &formats)?;
    }
    book.save_to_buffer()
}

fn date(day: chrono::NaiveDate) -> Result<ExcelDateTime, XlsxError> {
    ExcelDateTime::parse_from_str(&day.to_string())
}

/// Rows and columns of our own tables fit the types of a sheet: 15,000 rows of 22 columns are a large account.
fn row_number(at: usize) -> u32 {
    u32::try_from(at).unwrap_or(u32::MAX)
}

fn column_number(at: usize) -> u16 {
    u16::try_from(at).unwrap_or(u16::MAX)
}

/// How many lines a text takes in a column: words are kept whole where they fit.
fn wrapped(text: &str, width: usize) -> usize {
    let width = width.max(1);
    let (mut lines, mut used) = (1, 0);
    for word in text.split_inclusive([' ', '-']) {
        let length = word.trim_end().chars().count();
        if used > 0 && used + length > width {
            lines += 1;
            used = 0;
        }
        lines += length.saturating_sub(1) / width;
        used += if length > width { (length - 1) % width + 1 } else { word.chars().count() };
    }
    lines
}

fn population(
    page: &mut Worksheet,
    frozen: &Frozen,
    sheet: Sheet,
    rows: &[&Row],
    formats: &Formats,
) -> Result<(), XlsxError> {
    page.set_name(sheet.word())?;
    page.set_tab_color(if sheet == Sheet::PrivilegedAccess { Color::RGB(0x9C_1C_12) } else { DARK });
    let layout = layout(sheet);
    page.set_row_height(0, 30)?;
    for (at, (column, is_frozen)) in layout.iter().enumerate() {
        let at = column_number(at);
        let empty = frozen.previous.is_none() && matches!(column.name, "change" | "last review");
        page.set_column_width(at, if empty { 8 } else { column.width })?;
        let head = if *is_frozen { &formats.head } else { &formats.input_head };
        page.write_string_with_format(0, at, column.name, head)?;
    }
    for (index, row) in rows.iter().enumerate() {
        let line = row_number(index + 1);
        // Not every program fits a row to its wrapped text by itself.
        let lines = |(at, (column, _)): (usize, &(&super::population::Column, bool))| {
            // A width counts digits of 11 points. Letters of 10 points are narrower, those of the name bold and wider,
            // and those of ARN and key have 8 points.
            let width = match column.name {
                _ if at == 0 => column.width,
                "arn" | super::population::KEY => column.width * 11 / 8,
                _ => column.width * 11 / 10,
            };
            wrapped(row.cell(column.name), usize::from(width))
        };
        let lines = layout.iter().enumerate().map(lines).max().unwrap_or(1).clamp(1, 12);
        page.set_row_height(line, 14 * row_number(lines))?;
        for (at, (column, is_frozen)) in layout.iter().enumerate() {
            let place = column_number(at);
            if !*is_frozen {
                let format = if column.name == "date" { &formats.input_date } else { &formats.input };
                page.write_blank(line, place, format)?;
                continue;
            }
            let text = row.cell(column.name);
            match text.parse::<u32>() {
                Ok(number) if column.name == "days inactive" => {
                    page.write_number_with_format(line, place, number, &formats.number)?;
                }
                _ => {
                    let quiet = matches!(column.name, "arn" | super::population::KEY);
                    let format = match at {
                        0 => &formats.name,
                        _ if quiet => &formats.quiet,
                        _ => &formats.text,
                    };
                    page.write_string_with_format(line, place, text, format)?;
                }
            }
        }
    }
    page.set_freeze_panes(1, 1)?;
    let last_column = column_number(layout.len() - 1);
    page.autofilter(0, 0, row_number(rows.len().max(1)), last_column)?;
    // A3; the ARN and the key stay on the screen.
    page.set_landscape().set_paper_size(8).set_print_fit_to_pages(1, 0);
    page.set_print_area(0, 0, row_number(rows.len().max(1)), column_number(layout.len().saturating_sub(3)))?;
    page.set_repeat_rows(0, 0)?;
    page.set_header("&LAccess review&C&A&RPage &P of &N");
    if rows.is_empty() {
        page.set_column_width(0, 40)?;
        return Ok(());
    }
    let last = row_number(rows.len());
    let column = |name: &str| layout.iter().position(|(column, _)| column.name == name).map(column_number);
    drop_downs(page, frozen, sheet, last, &column)?;
    colours(page, last, &column)
}

fn drop_downs(
    page: &mut Worksheet,
    frozen: &Frozen,
    sheet: Sheet,
    last: u32,
    column: &impl Fn(&str) -> Option<u16>,
) -> Result<(), XlsxError> {
    let words: Vec<&str> = sheet.decisions().iter().map(|decision| decision.word()).collect();
    if let Some(at) = column("decision") {
        let list = DataValidation::new()
            .allow_list_strings(&words)?
            .set_error_title("No decision")?
            .set_error_message(format!("Choose one of: {}", words.join(", ")))?
            .set_error_style(DataValidationErrorStyle::Stop);
        page.add_data_validation(1, at, last, at, &list)?;
    }
    if let Some(at) = column("date") {
        let from = date(frozen.opened.0.date_naive())?;
        let days = DataValidation::new()
            .allow_date(DataValidationRule::GreaterThanOrEqualTo(from))
            .set_error_title("No day of this review")?
            .set_error_message(format!("Write the day of the decision, {} or later", frozen.opened.0.date_naive()))?
            .set_error_style(DataValidationErrorStyle::Warning);
        page.add_data_validation(1, at, last, at, &days)?;
    }
    Ok(())
}

fn colours(page: &mut Worksheet, last: u32, column: &impl Fn(&str) -> Option<u16>) -> Result<(), XlsxError> {
    if let Some(at) = column("decision") {
        let words =
            [(Decision::Keep, GREEN), (Decision::Reduce, BLUE), (Decision::Disable, AMBER), (Decision::Remove, RED)];
        for (decision, colour) in words {
            let rule = ConditionalFormatCell::new()
                .set_rule(ConditionalFormatCellRule::EqualTo(decision.word()))
                .set_format(tint(colour).set_bold());
            page.add_conditional_format(1, at, last, at, &rule)?;
        }
        // What a decision needs, and does not have yet.
        let letters = |at: u16| rust_xlsxwriter::utility::column_number_to_name(at);
        for name in ["reviewer", "date", "justification"] {
            if let Some(needed) = column(name) {
                let formula = format!("=AND(LEN(${}2)>0,LEN(${}2)=0)", letters(at), letters(needed));
                let rule = ConditionalFormatFormula::new()
                    .set_rule(Formula::new(formula))
                    .set_format(Format::new().set_background_color(RED.0));
                page.add_conditional_format(1, needed, last, needed, &rule)?;
            }
        }
    }
    if let Some(at) = column("days inactive") {
        for (limit, colour) in [(180, RED), (90, AMBER)] {
            let rule = ConditionalFormatCell::new()
                .set_rule(ConditionalFormatCellRule::GreaterThanOrEqualTo(limit))
                .set_format(tint(colour))
                .set_stop_if_true(true);
            page.add_conditional_format(1, at, last, at, &rule)?;
        }
    }
    let contains: [(&str, &str, (Color, Color)); 17] = [
        ("administrator", "yes", RED),
        ("administrator", "by role", RED),
        ("administrator", "can become", AMBER),
        ("administrator", "under a condition", AMBER),
        ("administrator", "unknown", AMBER),
        ("change", "new", BLUE),
        ("change", "more access", RED),
        ("change", "changed", AMBER),
        ("change", "less access", GREEN),
        ("flags", "public", RED),
        ("flags", "orphaned", RED),
        ("flags", "root", RED),
        ("flags", "no MFA", RED),
        // The first that fits counts: who is an administrator only in some way comes before who is one.
        ("flags", "can become admin", AMBER),
        ("flags", "admin under a condition", AMBER),
        ("flags", "admin", RED),
        ("flags", "unknown", AMBER),
    ];
    for (name, word, colour) in contains {
        if let Some(at) = column(name) {
            let begins = matches!(name, "administrator" | "change");
            let word = word.to_owned();
            let rule = if begins {
                ConditionalFormatTextRule::BeginsWith(word)
            } else {
                ConditionalFormatTextRule::Contains(word)
            };
            let rule = ConditionalFormatText::new().set_rule(rule).set_format(tint(colour));
            page.add_conditional_format(1, at, last, at, &rule)?;
        }
    }
    // A device protects what is signed in to with a password; a user with keys alone has no use for one.
    if let (Some(at), Some(credentials)) = (column("mfa"), column("credentials")) {
        let letter = rust_xlsxwriter::utility::column_number_to_name;
        let formula = format!("=AND(${}2=\"no\",ISNUMBER(SEARCH(\"password\",${}2)))", letter(at), letter(credentials));
        let rule = ConditionalFormatFormula::new().set_rule(Formula::new(formula)).set_format(tint(RED));
        page.add_conditional_format(1, at, last, at, &rule)?;
    }
    Ok(())
}

fn acknowledgement(page: &mut Worksheet, formats: &Formats) -> Result<(), XlsxError> {
    page.set_name("acknowledgement")?;
    page.set_tab_color(INPUT_HEAD);
    page.set_row_height(0, 24)?;
    page.set_row_height(1, 60)?;
    for (at, (name, width)) in ACKNOWLEDGEMENT.iter().zip([60, 28, 28, 16]).enumerate() {
        let at = column_number(at);
        page.set_column_width(at, width)?;
        page.write_string_with_format(0, at, *name, if at == 0 { &formats.head } else { &formats.input_head })?;
        match at {
            0 => page.write_string_with_format(1, at, STATEMENT, &formats.text)?,
            3 => page.write_blank(1, at, &formats.input_date)?,
            _ => page.write_blank(1, at, &formats.input)?,
        };
    }
    page.set_landscape().set_paper_size(9).set_print_fit_to_pages(1, 0);
    Ok(())
}

fn removed(page: &mut Worksheet, frozen: &Frozen, formats: &Formats) -> Result<(), XlsxError> {
    page.set_name("gone since")?;
    let heads: [(&str, u16); 4] = [("was among", 20), ("name", 30), ("last review", 40), ("what it was", 90)];
    for (at, (name, width)) in heads.iter().enumerate() {
        page.set_column_width(column_number(at), f64::from(*width))?;
        page.write_string_with_format(0, column_number(at), *name, &formats.head)?;
    }
    for (index, gone) in frozen.removed.iter().enumerate() {
        let line = row_number(index + 1);
        let name = crate::report::words::visible(&gone.name);
        let id = crate::report::words::visible(&gone.id);
        let texts = [gone.sheet.word(), &name, &gone.history, &id];
        let lines =
            texts.iter().zip(heads).map(|(text, (_, width))| wrapped(text, usize::from(width))).max().unwrap_or(1);
        page.set_row_height(line, 14 * row_number(lines))?;
        for (at, text) in texts.into_iter().enumerate() {
            page.write_string_with_format(line, column_number(at), text, &formats.text)?;
        }
    }
    page.set_freeze_panes(1, 0)?;
    page.set_landscape().set_paper_size(9).set_print_fit_to_pages(1, 0);
    Ok(())
}

fn instructions(
    page: &mut Worksheet,
    frozen: &Frozen,
    issue: &Issue,
    population_sha256: &str,
) -> Result<(), XlsxError> {
    page.set_name("instructions")?;
    page.set_tab_color(INPUT_HEAD);
    page.set_screen_gridlines(false);
    page.set_column_width(0, 2)?.set_column_width(1, 24)?.set_column_width(2, 92)?;
    let font = || Format::new().set_font_name("Calibri").set_font_size(10).set_align(FormatAlign::Top).set_text_wrap();
    let title = font().set_font_size(18).set_bold().set_font_color(DARK);
    let head = font().set_font_size(12).set_bold().set_font_color(INPUT_HEAD);
    let term = font().set_bold();
    let body = font();
    page.write_string_with_format(0, 1, "Access review", &title)?;
    page.merge_range(0, 1, 0, 2, "Access review", &title)?;
    page.set_row_height(0, 28)?;
    let mut line = 1;
    for (kind, left, right) in text(frozen, issue, population_sha256) {
        match kind {
            Line::Head => {
                line += 1;
                page.write_string_with_format(line, 1, &left, &head)?;
                page.set_row_height(line, 20)?;
            }
            Line::Pair => {
                page.write_string_with_format(line, 1, &left, &term)?;
                page.write_string_with_format(line, 2, &right, &body)?;
                page.set_row_height(line, 14 * row_number(wrapped(&right, 114)) + 2)?;
            }
        }
        line += 1;
    }
    page.set_landscape().set_paper_size(9).set_print_fit_to_pages(1, 1);
    Ok(())
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Line {
    Head,
    Pair,
}

/// What people must know, for the first sheet and for the text beside the CSV.
fn text(frozen: &Frozen, issue: &Issue, population_sha256: &str) -> Vec<(Line, String, String)> {
    let mut all = Vec::new();
    let head = |text: &str, all: &mut Vec<_>| all.push((Line::Head, text.to_owned(), String::new()));
    let pair = |left: &str, right: &str, all: &mut Vec<_>| all.push((Line::Pair, left.to_owned(), right.to_owned()));
    let opened = frozen.opened.0.date_naive();
    pair("Account", frozen.account.as_deref().unwrap_or("not known"), &mut all);
    pair("Access as of", &frozen.opened.zulu(), &mut all);
    pair("Decide and follow up by", &frozen.due.to_string(), &mut all);
    let rows = frozen.rows.iter().filter(|row| issue.holds(row)).count();
    let whose = match issue.owner.as_deref() {
        None => String::new(),
        Some("") => ", those without an owner".to_owned(),
        Some(owner) => format!(", those of {}", crate::report::words::visible(owner)),
    };
    pair("Rows to decide", &format!("{rows}{whose}"), &mut all);
    pair("This file", &format!("Handed out as {}", issue.file), &mut all);
    pair("Frozen population", &format!("SHA-256 {population_sha256}"), &mut all);
    head("What to do", &mut all);
    pair(
        "1  Decide",
        "On each sheet, choose a decision for every row. Nothing is chosen for you: a suggestion is only that, and an empty \
         cell counts as undecided, never as keep. Filters, and filling a value down over filtered rows, are quick.",
        &mut all,
    );
    pair(
        "2  Say who and why",
        &format!(
            "Each decision needs its reviewer (the person who decides), the date (from {opened} on) and a justification. Nobody decides \
             about their own access. A ticket is optional."
        ),
        &mut all,
    );
    pair(
        "3  Change nothing else",
        "Yellow cells and columns of your own are yours, grey ones are frozen. You may sort, filter, reorder columns and add columns of your own; \
         rows added, removed or altered are found and refused when the review is closed.",
        &mut all,
    );
    pair("4  Acknowledge", "A manager fills in the sheet acknowledgement (PCI DSS 7.2.4 asks for it).", &mut all);
    pair(
        "5  Follow up",
        "Have everything that is not kept reduced, disabled or removed in AWS before the review is closed: closing holds each \
         decision against later evidence.",
        &mut all,
    );
    head("Decisions", &mut all);
    pair("keep", "It stays as it is. The justification says what it is needed for.", &mut all);
    pair(
        "reduce",
        "It stays with less: fewer policies or groups, a boundary, fewer ways in. Proven if access became less.",
        &mut all,
    );
    pair(
        "disable",
        "It stays and cannot be used: no password, no active key; a role that nobody can enter. Proven if nothing works any more.",
        &mut all,
    );
    pair("remove", "It goes. For privileged access: the privilege goes. Proven if it is not there any more.", &mut all);
    head("Columns", &mut all);
    pair(
        "administrator",
        "The verdict of a policy analysis over all policies, groups and boundaries, not of policy names: yes; can become one; under a condition; no; unknown.",
        &mut all,
    );
    pair(
        "activity source",
        "Which credential was used, as AWS's credential report or role use tells. A role's use is kept for 400 days.",
        &mut all,
    );
    pair("trust paths", "Who can enter a role, and what is asked of them.", &mut all);
    pair(
        "flags",
        "What to look at first: admin (or can become one, or is one under a condition), no MFA, inactive, never used, old key, external, public, orphaned (lets in a deleted principal), no owner, unknown.",
        &mut all,
    );
    pair(
        "change, last review",
        "What became of the row since the last review, and what was decided then. Empty without one. It is history, not an answer.",
        &mut all,
    );
    if let Some(previous) = &frozen.previous {
        let closed =
            previous.closed.map_or("never closed".to_owned(), |closed| format!("closed as of {}", closed.zulu()));
        pair("Last review", &format!("opened as of {}, {closed}", previous.opened.zulu()), &mut all);
    }
    head("What is in it", &mut all);
    for sheet in Sheet::ALL {
        let of = frozen.sheets.get(sheet.word()).cloned().unwrap_or_default();
        let mut words = format!("{} rows in the account", of.rows);
        for why in &of.incomplete {
            words.push_str(&format!("; there may be more: {why}"));
        }
        pair(sheet.word(), &words, &mut all);
    }
    if !frozen.excluded.is_empty() {
        pair(
            "Not in it",
            &format!(
                "{} service-linked roles, which only AWS can use and nobody can edit; {} lists them",
                frozen.excluded.len(),
                super::POPULATION_FILE
            ),
            &mut all,
        );
    }
    debug_assert!(ANSWERS.iter().all(|column| is_answer(column.name)));
    all
}

/// The instructions beside the CSV files.
pub(super) fn csv_readme(frozen: &Frozen) -> String {
    let issue = Issue { file: "csv/".to_owned(), owner: None, sheet: None };
    let mut out = String::from(
        "ACCESS REVIEW\n=============\n\nFill in these files, or the workbook beside this folder; both are read. An apostrophe before\n=, +, - or @ is no part of a name: it keeps a spreadsheet from running the cell.\n\n",
    );
    for (kind, left, right) in text(frozen, &issue, "stands in population.sha256") {
        if kind == Line::Head {
            out.push_str(&format!("\n{}\n{}\n", left.to_uppercase(), "-".repeat(left.chars().count())));
        } else {
            crate::report::words::paragraph(&mut out, &format!("  {left:<24}  "), &right, 96);
        }
    }
    out
}
