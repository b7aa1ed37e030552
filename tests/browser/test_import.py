"""Importing a file on the leads page."""

from playwright.sync_api import expect


def test_a_file_is_imported_and_its_bad_rows_are_shown(db, desk, tmp_path):
    file = tmp_path / "export.csv"
    file.write_text("First Name;Last Name;E-mail Address\nZoë;Lind;zoe@x.com\nBo;Berg;\n")
    desk.open()
    desk.page.get_by_role("button", name="Import CSV").first.click()
    desk.page.locator("dialog[open] input[type=file]").set_input_files(file)
    dialog = desk.page.locator("dialog[open]")
    dialog.get_by_role("button", name="Import", exact=True).click()
    row = dialog.get_by_role("row").filter(has_text="no e-mail")
    expect(row).to_contain_text("3")
    dialog.get_by_role("button", name="Close").last.click()
    expect(desk.page.get_by_text("Zoë Lind")).to_be_visible()
    assert db.leads.count_documents({"email": "zoe@x.com", "status": "new"}) == 1


def test_a_file_that_is_no_csv_is_refused_with_a_sentence(db, desk, tmp_path):
    file = tmp_path / "picture.png"
    file.write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(200))
    desk.open()
    desk.page.get_by_role("button", name="Import CSV").first.click()
    dialog = desk.page.locator("dialog[open]")
    dialog.locator("input[type=file]").set_input_files(file)
    dialog.get_by_role("button", name="Import", exact=True).click()
    expect(dialog.get_by_role("alert")).to_contain_text("CSV")
    assert db.leads.count_documents({}) == 0
