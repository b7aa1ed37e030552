"""Importing a file: from the leads page to the leads, and back."""

import csv

from playwright.sync_api import expect

FILE = (
    "Firma;Reach;Who;Mail\n"
    "Lind AB;zoe@x.com;Zoë Lind;\n"
    "Berg;;Bo Berg;\n"
    "Ek AB;cy@x.com;Cy Ek;other@x.com\n"
    "Again;ZOE@x.com;Zoë;\n"
)


def test_a_file_is_imported_corrected_and_taken_back(db, desk, new_leads, tmp_path):
    new_leads(1, email="cy@x.com", name="Cy", company="Old Ltd")
    file = tmp_path / "fair.csv"
    file.write_text(FILE, encoding="cp1252")
    page = desk.open().page
    page.get_by_role("link", name="Import").first.click()
    page.get_by_label("Drop a CSV file here").set_input_files(file)

    # The wrong column was taken for the address, and one is not known.
    expect(page.get_by_role("heading", name="fair.csv")).to_be_visible()
    expect(page.get_by_text("read as Windows-1252")).to_be_visible()
    column = page.get_by_role("combobox", name="Mail")
    expect(column).to_have_value("email")
    expect(page.locator('[data-count="bad"]')).to_have_text("3")
    column.select_option("")
    expect(page.get_by_role("alert")).to_contain_text("Choose the column")
    expect(page.get_by_role("button", name="Start the import")).to_be_disabled()
    page.get_by_role("combobox", name="Reach").select_option("email")
    page.get_by_role("combobox", name="Who").select_option("name")
    for name, count in (("new", 1), ("updated", 1), ("duplicates", 1), ("bad", 1)):
        expect(page.locator(f'[data-count="{name}"]')).to_have_text(str(count))
    expect(page.get_by_text("Row 3: no e-mail")).to_be_visible()
    assert db.leads.count_documents({}) == 1

    page.get_by_role("button", name="Start the import").click()
    expect(page.locator("#import-state")).to_contain_text("Imported")
    expect(page.locator("#import-outcome")).to_contain_text("1 new")
    with page.expect_download() as download:
        page.get_by_role("link", name="Bad rows").click()
    with open(download.value.path(), newline="") as bad:
        assert [row["Reason"] for row in csv.DictReader(bad)] == [
            "no e-mail",
            "duplicate in the file of row 2",
        ]
    assert db.leads.find_one({"email": "cy@x.com"})["company"] == "Ek AB"

    page.goto(desk.url + "/crm/leads/import")
    page.get_by_role("button", name="Undo…").click()
    dialog = page.get_by_role("dialog", name="Undo this import?")
    expect(dialog).to_contain_text("fair.csv")
    dialog.get_by_role("button", name="Undo the import").click()
    expect(page.locator("#imports-list")).to_contain_text("Undone")
    assert [(lead["name"], lead["company"]) for lead in db.leads.find()] == [("Cy", "Old Ltd")]


def test_a_file_that_is_no_csv_is_refused_with_a_sentence(db, desk):
    page = desk.open("/crm/leads/import").page
    # Dropped, as from a folder.
    page.evaluate(
        """() => {
            const data = new DataTransfer();
            data.items.add(new File([new Uint8Array([0x50, 0x4b, 3, 4, 0, 0])], "leads.csv"));
            const drop = new DragEvent("drop", { dataTransfer: data, bubbles: true, cancelable: true });
            document.getElementById("drop-zone").dispatchEvent(drop);
        }"""
    )
    expect(page.get_by_role("alert")).to_contain_text(
        "an Excel workbook or a ZIP archive, not a CSV"
    )
    expect(page.get_by_label("Drop a CSV file here")).to_be_enabled()
    assert db.imports.count_documents({}) == 0
