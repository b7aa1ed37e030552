"""The indexes, also of a database that an older version has made."""

from crmapp import database


def test_an_index_that_was_defined_otherwise_is_made_anew(db):
    db.leads.drop_indexes()
    db.leads.create_index([("activationId", 1), ("_id", 1)])
    database.create_indexes(db)
    index = db.leads.index_information()["activationId_1__id_1"]
    assert index["partialFilterExpression"] == {"activationId": {"$exists": True}}


def test_two_users_of_one_address_cannot_be(db):
    keys = db.users.index_information()
    assert keys["email_1"]["unique"]
    assert keys["leadId_1"]["unique"]
