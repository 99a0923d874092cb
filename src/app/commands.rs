//! The one table of commands: a new key is one row here and nothing elsewhere.

use super::action::{Action, Align, Field, Fold, Motion, Save, Select, Set, Step, Triage, Yank};
use super::command::{Args, Call, Command, Group, Needs};
use super::scope::Scope;
use crate::model::{Order, Purpose, Role, Settle, View};

use Args::{Count, File, Folder, None as No, Path, People, Sender, Tags, When, Words};
use Group::{Act, Fold as Threads, Go, Move, Program, Read, Select as Pick, Settle as Ledgers};
use Needs::{Accounts, Folder as OneFolder, Mail, Nothing, Part, Shown};

const LIST: Scope = Scope::LIST;
const READER: Scope = Scope::READER;
const PARTS: Scope = Scope::PARTS;
const LINKS: Scope = Scope::LINKS;
const PANES: Scope = Scope::PANES;
const LEDGER: Scope = Scope::LEDGER;
const COMPOSE: Scope = Scope::COMPOSE;
const DRAFTS: Scope = Scope::DRAFTS;
const FILES: Scope = Scope::FILES;
/// Where one goes from one open draft to the next.
const DESK: Scope = PANES.and(COMPOSE).and(DRAFTS).and(LEDGER);
const ALL: Scope = Scope::ALL;
/// The list and the reader: where mail is.
const MAIL: Scope = LIST.and(READER);
/// The list and the folders.
const SIDE: Scope = LIST.and(Scope::FOLDERS);
/// The reader and its attachments.
const OPEN: Scope = READER.and(PARTS);

const fn row(name: &'static str, scope: Scope, keys: &'static [&'static str], args: Args) -> Command {
    Command { name, scope, keys, args, group: Program, doc: "", needs: Nothing, action: |_| Action::Redraw }
}

impl Command {
    const fn does(mut self, group: Group, doc: &'static str, action: fn(&Call) -> Action) -> Self {
        self.group = group;
        self.doc = doc;
        self.action = action;
        self
    }

    const fn needs(mut self, needs: Needs) -> Self {
        self.needs = needs;
        self
    }
}

const fn picked(set: Set) -> Action {
    Action::Select(Select::Set(set))
}

/// Every command, in the order in which help shows them.
pub const COMMANDS: &[Command] = &[
    row("down", ALL, &["j", "<Down>"], Count)
        .does(Move, "Move down", |c| Action::Go(Motion::Lines(c.steps()))),
    row("up", ALL, &["k", "<Up>"], Count).does(Move, "Move up", |c| Action::Go(Motion::Lines(-c.steps()))),
    row("top", ALL, &["gg", "<Home>"], No).does(Move, "Go to the top", |_| Action::Go(Motion::First)),
    row("bottom", ALL, &["G", "<End>"], No).does(Move, "Go to the bottom", |_| Action::Go(Motion::Last)),
    row("half-down", ALL, &["<C-d>"], Count)
        .does(Move, "Move down half a page", |c| Action::Go(Motion::Halves(c.steps()))),
    row("half-up", ALL, &["<C-u>"], Count)
        .does(Move, "Move up half a page", |c| Action::Go(Motion::Halves(-c.steps()))),
    row("page-down", ALL, &["<C-f>", "<PgDn>"], Count)
        .does(Move, "Move down a page", |c| Action::Go(Motion::Pages(c.steps()))),
    row("page-up", SIDE.and(PARTS).and(LINKS).and(LEDGER).and(DRAFTS).and(Scope::HELP), &["<PgUp>"], Count)
        .does(Move, "Move up a page", |c| Action::Go(Motion::Pages(-c.steps()))),
    row("middle", LIST, &["zz"], No)
        .does(Move, "Put the row in the middle", |_| Action::Align(Align::Middle)),
    row("upper-edge", LIST, &["zt"], No).does(Move, "Put the row at the top", |_| Action::Align(Align::Top)),
    row("lower-edge", LIST, &["zb"], No)
        .does(Move, "Put the row at the bottom", |_| Action::Align(Align::Bottom)),
    row("left", PANES, &["h", "<Left>"], No).does(Move, "Go to the left pane", |_| Action::Left),
    row("right", PANES, &["l", "<Right>"], No).does(Move, "Go to the right pane", |_| Action::Right),
    row("open", SIDE.and(LEDGER).and(DRAFTS), &["<Enter>", "<Space>"], No)
        .does(Move, "Open this", |_| Action::Open),
    row("back", ALL, &["q"], No).does(Move, "Go back one level", |_| Action::Back),
    row("jump-back", PANES, &["<C-o>"], No).does(Move, "Go back to the last place", |_| Action::JumpBack),
    // Reading.
    row("read-on", READER, &["<Space>"], No).does(Read, "Read on, then next unread", |_| Action::ReadOn),
    row("read-back", READER, &["b", "-", "<PgUp>"], Count)
        .does(Read, "Read back a page", |c| Action::Go(Motion::Pages(-c.steps()))),
    row("next-message", READER, &["J"], Count)
        .does(Read, "Open the next message", |c| Action::Step(Step::Message, c.steps())),
    row("previous-message", READER, &["K"], Count)
        .does(Read, "Open the previous message", |c| Action::Step(Step::Message, -c.steps())),
    row("next-unread", MAIL, &["<Tab>"], No)
        .does(Read, "Go to the next unread", |_| Action::Step(Step::Unread, 1)),
    row("previous-unread", MAIL, &["<S-Tab>"], No)
        .does(Read, "Go to the previous unread", |_| Action::Step(Step::Unread, -1)),
    row("html", READER, &["zh"], No).does(Read, "Switch HTML and plain text", |_| Action::Html).needs(Shown),
    row("all-headers", READER, &["zH"], No)
        .does(Read, "Show or hide all headers", |_| Action::AllHeaders)
        .needs(Shown),
    row("all-quotes", READER, &["zq"], No)
        .does(Read, "Show or fold long quotes", |_| Action::AllQuotes)
        .needs(Shown),
    row("raw", READER, &["gr"], No).does(Read, "Show it as it came", |_| Action::Raw).needs(Shown),
    row("bare", READER, &["zw"], No).does(Read, "Show nothing but the mail", |_| Action::Bare).needs(Shown),
    row("attachments", OPEN, &["A"], No)
        .does(Read, "List the attachments", |_| Action::Attachments)
        .needs(Part),
    row("save", READER, &["w"], No)
        .does(Read, "Save the mail as a file", |_| Action::Save(Save::Mail))
        .needs(Shown),
    row("read-attachment", PARTS, &["<Enter>"], No)
        .does(Read, "Show this attachment here", |_| Action::ReadPart)
        .needs(Part),
    row("open-attachment", PARTS, &["o"], No)
        .does(Read, "Open it on this desktop", |_| Action::OpenPart)
        .needs(Part),
    row("page-attachment", PARTS, &["p"], No)
        .does(Read, "Read it in the pager", |_| Action::PagePart)
        .needs(Part),
    row("fetch-attachment", PARTS, &["y"], No)
        .does(Read, "Copy what fetches it", |_| Action::FetchPart)
        .needs(Part),
    row("save-attachment", PARTS, &["w"], No)
        .does(Read, "Save this attachment", |_| Action::Save(Save::One))
        .needs(Part),
    row("save-all", OPEN, &["W"], No)
        .does(Read, "Save all attachments", |_| Action::Save(Save::All))
        .needs(Part),
    row("links", READER, &["gx"], No).does(Read, "List the links", |_| Action::Links).needs(Shown),
    row("open-link", LINKS, &["<Enter>", "o"], No).does(Read, "Open this link", |_| Action::OpenLink),
    row("copy-this-link", LINKS, &["y"], No).does(Read, "Copy this link", |_| Action::Yank(Yank::Link)),
    row("copy-link", READER, &["yl"], No)
        .does(Read, "Copy a link", |_| Action::Yank(Yank::Link))
        .needs(Shown),
    row("copy-address", MAIL, &["yy"], No)
        .does(Read, "Copy the sender's address", |_| Action::Yank(Yank::Address))
        .needs(Mail),
    row("copy-code", READER, &["yc"], No)
        .does(Read, "Copy the code in it", |_| Action::Yank(Yank::Code))
        .needs(Shown),
    row("copy-id", MAIL, &["yi"], No)
        .does(Read, "Copy the Message-ID", |_| Action::Yank(Yank::Id))
        .needs(Mail),
    row("download", MAIL, &["gm"], No)
        .does(Read, "Download the rest of it", |_| Action::Download)
        .needs(Mail),
    // Acting on mail.
    row("delete", MAIL, &["d"], Count)
        .does(Act, "Move to Trash", |c| Action::Triage(Triage::Delete, c.times()))
        .needs(Mail),
    row("archive", MAIL, &["a", "e"], Count)
        .does(Act, "Move to Archive", |c| Action::Triage(Triage::Archive, c.times()))
        .needs(Mail),
    row("star", MAIL, &["s"], Count)
        .does(Act, "Star or unstar", |c| Action::Triage(Triage::Star, c.times()))
        .needs(Mail),
    row("read", MAIL, &["U"], Count)
        .does(Act, "Mark as read or unread", |c| Action::Triage(Triage::Read, c.times()))
        .needs(Mail),
    row("junk", MAIL, &["X"], Count)
        .does(Act, "Move to Junk", |c| Action::Triage(Triage::Junk, c.times()))
        .needs(Mail),
    row("snooze", MAIL, &["H"], When)
        .does(Act, "Snooze until a time", |c| c.typed(Action::Snooze))
        .needs(Mail),
    row("snooze-row", LIST, &["b"], When)
        .does(Act, "Snooze until a time", |c| c.typed(Action::Snooze))
        .needs(Mail),
    row("mute", MAIL, &["M"], Count)
        .does(Act, "Mute the conversation", |c| Action::Triage(Triage::Mute, c.times()))
        .needs(Mail),
    row("tag", MAIL, &["t"], Tags).does(Act, "Tag with +name or -name", |c| c.typed(Action::Tag)).needs(Mail),
    row("move", MAIL, &["m"], Folder).does(Act, "Move to a folder", |c| c.typed(Action::MoveTo)).needs(Mail),
    row("copy", MAIL, &["C"], Folder).does(Act, "Copy to a folder", |c| c.typed(Action::CopyTo)).needs(Mail),
    row("repeat", MAIL, &["."], Count)
        .does(Act, "Repeat the last action", |c| Action::Repeat(c.times()))
        .needs(Mail),
    row("undo", PANES.and(DRAFTS), &["u"], Count)
        .does(Act, "Undo the last action", |c| Action::Undo(c.times())),
    row("redo", PANES.and(DRAFTS), &["<C-r>"], Count)
        .does(Act, "Redo what was undone", |c| Action::Redo(c.times())),
    // Writing.
    row("compose", PANES.and(DRAFTS), &["c"], No).does(Act, "Write a mail", |_| Action::Write(Purpose::New)),
    row("reply", MAIL, &["r"], No)
        .does(Act, "Reply to the sender", |_| Action::Write(Purpose::Reply))
        .needs(Mail),
    row("reply-all", MAIL, &["R"], No)
        .does(Act, "Reply to all", |_| Action::Write(Purpose::ReplyAll))
        .needs(Mail),
    row("reply-list", MAIL, &["L"], No)
        .does(Act, "Reply to the list", |_| Action::Write(Purpose::ReplyList))
        .needs(Mail),
    row("forward", MAIL, &["f"], No).does(Act, "Forward it", |_| Action::Write(Purpose::Forward)).needs(Mail),
    row("edit-as-new", MAIL, &["E"], No)
        .does(Act, "Write it anew", |_| Action::Write(Purpose::EditAsNew))
        .needs(Mail),
    row("bounce", MAIL, &["B"], People)
        .does(Act, "Send it on as it is", |c| c.typed(Action::Bounce))
        .needs(Mail),
    row("quick-reply", MAIL, &["I"], No)
        .does(Act, "Reply under the mail", |_| Action::QuickReply)
        .needs(Mail),
    row("resume", PANES, &[], No).does(Go, "Go on with the last draft", |_| Action::Resume),
    row("send", COMPOSE, &["y"], No).does(Act, "Send it", |_| Action::Send),
    row("edit", COMPOSE, &["e", "<Enter>"], No).does(Act, "Edit the text", |_| Action::Edit),
    row("to", COMPOSE, &["t"], People)
        .does(Act, "Edit to whom", |c| c.typed(|t| Action::Field(Field::To, t))),
    row("cc", COMPOSE, &["c"], People)
        .does(Act, "Edit who gets a copy", |c| c.typed(|t| Action::Field(Field::Cc, t))),
    row("bcc", COMPOSE, &["b"], People)
        .does(Act, "Edit who gets it unseen", |c| c.typed(|t| Action::Field(Field::Bcc, t))),
    row("subject", COMPOSE, &["s"], Words)
        .does(Act, "Edit the subject", |c| c.typed(|t| Action::Field(Field::Subject, t))),
    row("from", COMPOSE, &["f"], Sender)
        .does(Act, "Edit as whom", |c| c.typed(|t| Action::Field(Field::From, t))),
    row("attach", COMPOSE.and(FILES), &["a"], File)
        .does(Act, "Put a file to it", |c| c.typed(Action::Attach)),
    row("attached", COMPOSE.and(FILES), &["A"], No).does(Act, "List its files", |_| Action::Files),
    row("detach", FILES, &["d", "X"], No).does(Act, "Delete it from the draft", |_| Action::Detach),
    row("preview", COMPOSE, &["p"], No).does(Act, "Show it as others see it", |_| Action::Preview),
    row("send-later", COMPOSE, &["Y"], When).does(Act, "Send it at a time", |c| c.typed(Action::SendDraftAt)),
    row("discard-draft", COMPOSE.and(DRAFTS), &["X"], No).does(Act, "Delete the draft", |_| Action::Discard),
    // Selecting.
    row("select", LIST, &["x"], Count)
        .does(Pick, "Select and move down", |c| Action::Select(Select::Rows(c.times())))
        .needs(Mail),
    row("select-range", LIST, &["v"], No)
        .does(Pick, "Select from here to there", |_| Action::Select(Select::Range))
        .needs(Mail),
    row("select-thread", MAIL, &["V", "St"], No)
        .does(Pick, "Select the conversation", |_| picked(Set::Thread))
        .needs(Mail),
    row("select-all", LIST, &["*"], No)
        .does(Pick, "Select all rows", |_| Action::Select(Select::All))
        .needs(Mail),
    row("select-sender", LIST, &["Ss"], No)
        .does(Pick, "Select all from its sender", |_| picked(Set::Sender))
        .needs(Mail),
    row("select-list", LIST, &["Sl"], No)
        .does(Pick, "Select all of its list", |_| picked(Set::MailingList))
        .needs(Mail),
    row("select-unread", LIST, &["Su"], No)
        .does(Pick, "Select all unread", |_| picked(Set::Unread))
        .needs(Mail),
    row("select-older", LIST, &["So"], No)
        .does(Pick, "Select this and older", |_| picked(Set::Older))
        .needs(Mail),
    row("select-matching", LIST, &["S/"], Words)
        .does(Pick, "Select all with some words", |c| picked(Set::Matching(c.text.clone())))
        .needs(Mail),
    row("select-again", LIST, &["gv"], No)
        .does(Pick, "Select the same again", |_| Action::Select(Select::Again)),
    row("delete-thread", LIST, &["Dt"], No)
        .does(Pick, "Delete the conversation", |_| Action::DeleteSet(Set::Thread))
        .needs(Mail),
    row("delete-sender", LIST, &["Ds"], No)
        .does(Pick, "Delete all from its sender", |_| Action::DeleteSet(Set::Sender))
        .needs(Mail),
    row("delete-list", LIST, &["Dl"], No)
        .does(Pick, "Delete all of its list", |_| Action::DeleteSet(Set::MailingList))
        .needs(Mail),
    row("delete-unread", LIST, &["Du"], No)
        .does(Pick, "Delete all unread", |_| Action::DeleteSet(Set::Unread))
        .needs(Mail),
    row("delete-older", LIST, &["Do"], No)
        .does(Pick, "Delete this and older", |_| Action::DeleteSet(Set::Older))
        .needs(Mail),
    row("delete-matching", LIST, &["D/"], Words)
        .does(Pick, "Delete all with some words", |c| Action::DeleteSet(Set::Matching(c.text.clone())))
        .needs(Mail),
    // Conversations.
    row("next-thread", MAIL, &[")"], Count)
        .does(Threads, "Go to next conversation", |c| Action::Step(Step::Thread, c.steps())),
    row("previous-thread", MAIL, &["("], Count)
        .does(Threads, "Go to conversation before", |c| Action::Step(Step::Thread, -c.steps())),
    row("fold", LIST, &["za"], No)
        .does(Threads, "Unfold or fold", |_| Action::Fold(Fold::Toggle))
        .needs(Mail),
    row("unfold", LIST, &["zo"], No).does(Threads, "Unfold", |_| Action::Fold(Fold::Open)).needs(Mail),
    row("close", LIST, &["zc"], No).does(Threads, "Fold", |_| Action::Fold(Fold::Close)).needs(Mail),
    row("unfold-all", LIST, &["zR"], No).does(Threads, "Unfold all", |_| Action::Fold(Fold::OpenAll)),
    row("fold-all", LIST, &["zM"], No).does(Threads, "Fold all", |_| Action::Fold(Fold::CloseAll)),
    row("join", LIST, &["zj", "&"], No).does(Threads, "Join conversations", |_| Action::Join).needs(Mail),
    row("split", MAIL, &["zs", "#"], No)
        .does(Threads, "Split it off from here", |_| Action::Split)
        .needs(Mail),
    row("messages", LIST, &["T"], No).does(Threads, "Switch to single mails", |_| Action::Flat),
    row("sort-newest", LIST, &["od"], No)
        .does(Threads, "Sort by date, newest first", |_| Action::Sort(Order::Newest)),
    row("sort-oldest", LIST, &["oo"], No)
        .does(Threads, "Sort by date, oldest first", |_| Action::Sort(Order::Oldest)),
    row("sort-sender", LIST, &["of"], No).does(Threads, "Sort by sender", |_| Action::Sort(Order::Sender)),
    row("sort-subject", LIST, &["os"], No).does(Threads, "Sort by subject", |_| Action::Sort(Order::Subject)),
    row("sort-size", LIST, &["oz"], No)
        .does(Threads, "Sort what is largest first", |_| Action::Sort(Order::Largest)),
    row("sort-unread", LIST, &["ou"], No)
        .does(Threads, "Sort what is unread first", |_| Action::Sort(Order::Unread)),
    // Folders.
    row("go-inbox", PANES, &["gi"], No).does(Go, "Go to the inbox", |_| Action::GoRole(Role::Inbox)),
    row("go-unified", PANES, &["gu"], No)
        .does(Go, "Go to all inboxes", |_| Action::GoAll(View::Unified(Role::Inbox)))
        .needs(Accounts),
    row("go-sent", PANES, &["gs"], No).does(Go, "Go to sent mail", |_| Action::GoRole(Role::Sent)),
    row("go-drafts", PANES, &["gd"], No).does(Go, "Go to the drafts", |_| Action::Drafts),
    row("draft-folders", DRAFTS, &["gd"], No).does(Go, "Go to folders for drafts", |_| Action::DraftFolders),
    row("next-open", DESK, &["gt"], Count).does(Go, "Go to the next open draft", |c| Action::Page(c.steps())),
    row("previous-open", DESK, &["gT"], Count)
        .does(Go, "Go to the open one before", |c| Action::Page(-c.steps())),
    row("go-archive", PANES, &["ga"], No).does(Go, "Go to the archive", |_| Action::GoRole(Role::Archive)),
    row("go-junk", PANES, &["gj"], No).does(Go, "Go to the junk", |_| Action::GoRole(Role::Junk)),
    row("go-trash", PANES, &["gD"], No).does(Go, "Go to the trash", |_| Action::GoRole(Role::Trash)),
    row("go", PANES, &["gf"], Folder).does(Go, "Go to a folder by its name", |c| c.typed(Action::GoFolder)),
    row("next-unread-folder", PANES, &["gn"], Count)
        .does(Go, "Go on to one with unread", |c| Action::UnreadFolder(c.steps())),
    row("previous-unread-folder", PANES, &["gN"], Count)
        .does(Go, "Go back to one with unread", |c| Action::UnreadFolder(-c.steps())),
    row("go-snoozed", PANES, &["gz"], No).does(Go, "Go to what is snoozed", |_| Action::GoAll(View::Snoozed)),
    row("go-starred", PANES, &["g*"], No).does(Go, "Go to what is starred", |_| Action::GoAll(View::Starred)),
    row("go-unread", PANES, &["g<Tab>"], No)
        .does(Go, "Go to all that is unread", |_| Action::GoAll(View::Unread)),
    row("layout", PANES, &[], Words).does(Go, "Put the reader elsewhere", |c| c.typed(Action::Layout)),
    row("next-folder", SIDE, &["J"], Count)
        .does(Go, "Open the next folder", |c| Action::NextFolder(c.steps())),
    row("previous-folder", SIDE, &["K"], Count)
        .does(Go, "Open the previous folder", |c| Action::NextFolder(-c.steps())),
    row("go-outbox", PANES, &["go"], No).does(Go, "Go to the outbox", |_| Action::Outbox),
    row("go-waiting", PANES, &["gS"], No).does(Go, "Go to what waits", |_| Action::Ledger),
    // What waits.
    row("retry", LEDGER, &["r"], No).does(Ledgers, "Try it again", |_| Action::Settle(Settle::Retry)),
    row("discard", LEDGER, &["D"], No).does(Ledgers, "Give it up", |_| Action::Settle(Settle::Discard)),
    row("accept", LEDGER, &["a"], No).does(Ledgers, "Believe the server", |_| Action::Settle(Settle::Accept)),
    row("refetch", LEDGER, &["f"], No)
        .does(Ledgers, "Look at the folder anew", |_| Action::Settle(Settle::Refetch)),
    row("hold", LEDGER, &["h"], No).does(Ledgers, "Put off sending it", |_| Action::Settle(Settle::Hold)),
    row("send-at", LEDGER, &["Y"], When)
        .does(Ledgers, "Put off sending to a time", |c| c.typed(Action::SendAt)),
    row("edit-again", LEDGER, &["E"], No).does(Ledgers, "Edit a mail again", |_| Action::EditAgain),
    row("undo-this", LEDGER, &["u"], No)
        .does(Ledgers, "Undo the whole action", |_| Action::Settle(Settle::Undo)),
    row("mkdir", SIDE, &[], Path).does(Go, "Make a folder", |c| c.typed(Action::MakeFolder)),
    row("rename-folder", SIDE, &[], Path)
        .does(Go, "Rename this folder", |c| c.typed(Action::RenameFolder))
        .needs(OneFolder),
    row("delete-folder", SIDE, &[], No)
        .does(Go, "Delete this folder", |_| Action::DeleteFolder)
        .needs(OneFolder),
    row("empty-trash", PANES, &[], No).does(Go, "Delete all mail in Trash", |_| Action::EmptyTrash),
    row("server-cleanup", PANES.and(LEDGER), &[], No)
        .does(Go, "Delete there what is here", |_| Action::CleanServer),
    row("subscribe", SIDE, &[], No)
        .does(Go, "Subscribe to this folder", |_| Action::Subscribe(true))
        .needs(OneFolder),
    row("unsubscribe", SIDE, &[], No)
        .does(Go, "Unsubscribe from it", |_| Action::Subscribe(false))
        .needs(OneFolder),
    // Finding.
    row("find", LIST, &["/"], Words).does(Go, "Find mail with some words", |c| c.typed(Action::Find)),
    row("narrow", LIST, &["F", "\\"], Words)
        .does(Go, "Show only some of the list", |c| c.typed(Action::Narrow)),
    row("seek", READER, &["/"], Words).does(Read, "Find words in this mail", |c| c.typed(Action::Seek)),
    row("next-match", READER, &["n"], Count)
        .does(Read, "Go to the next match", |c| Action::SeekOn(c.steps())),
    row("previous-match", READER, &["N"], Count)
        .does(Read, "Go to the match before", |c| Action::SeekOn(-c.steps())),
    row("next-hit", LIST, &["n"], Count).does(Go, "Go to the next found", |c| Action::Hit(c.steps())),
    row("previous-hit", LIST, &["N"], Count)
        .does(Go, "Go to the one found before", |c| Action::Hit(-c.steps())),
    // The program.
    row("help", ALL, &["?"], No).does(Program, "Show the keys of this pane", |_| Action::Help),
    row("command", ALL, &[":"], No)
        .does(Program, "Run a command by its name", |_| Action::CommandLine(String::new())),
    row("palette", ALL, &["<C-p>", "g:"], No).does(Program, "Find a command", |_| Action::Palette),
    row("record", PANES, &["Q"], No).does(Program, "Record keys, or end that", |_| Action::Record),
    row("play", PANES, &["gQ"], Count).does(Program, "Play the recorded keys", |c| Action::Play(c.times())),
    row("pipe", MAIL.and(PARTS), &["gp", "|"], Words)
        .does(Program, "Give it to a program", |c| c.typed(Action::Pipe))
        .needs(Mail),
    row("shell", ALL, &["!"], Words).does(Program, "Run a shell, or a command", |c| c.typed(Action::Shell)),
    row("escape", ALL, &["<Esc>"], No).does(Program, "Undo one thing at a time", |_| Action::Escape),
    row("sync", PANES.and(LEDGER), &["$"], No).does(Program, "Ask the servers now", |_| Action::Sync),
    row("redraw", ALL, &["<C-l>"], No).does(Program, "Paint the screen anew", |_| Action::Redraw),
    row("suspend", ALL, &["<C-z>"], No).does(Program, "Suspend until `fg`", |_| Action::Suspend),
    row("quit", ALL, &["ZZ"], No).does(Program, "Quit", |_| Action::Quit),
];
