import gzip
import json

import pytest

from recsys_data.datasets.amazon.reviews import AmazonReviews


def test_amazon_reviews_and_ratings(tmp_path):
    folder = tmp_path / "amazon"
    folder.mkdir()
    reviews = [
        {"reviewerID": "A2", "asin": "000", "overall": 4.0, "unixReviewTime": 1391040000, "reviewText": "\n"},
        {"reviewerID": "A1", "asin": "B1", "overall": 5.0, "unixReviewTime": 1391126400, "helpful": [1, 2]},
    ]
    (folder / "reviews_Beauty_5.json").write_text("\n".join(map(json.dumps, reviews)) + "\n")
    data = AmazonReviews("Beauty").load(tmp_path)
    assert data.user_ids.tolist() == ["A1", "A2"] and data.item_ids.tolist() == ["000", "B1"]
    assert data.items.tolist() == [1, 0] and data.ratings.tolist() == [5, 4]
    (folder / "ratings_Beauty.csv").write_text("A2,000,4.0,1391040000\nA1,B1,5.0,1391126400\n")
    assert AmazonReviews("Beauty", "ratings").load(tmp_path).fingerprint == data.fingerprint
    (folder / "reviews_Beauty_5.json").write_text('{"reviewerID": "A2", "asin": "000", "overall": 4.0}\n')
    with pytest.raises(ValueError, match="1 reviews have no unixReviewTime"):
        AmazonReviews("Beauty").load(tmp_path)


def test_gz_is_read_by_gzip_not_guessed(tmp_path):
    folder = tmp_path / "amazon"
    folder.mkdir()
    (folder / "ratings_Beauty.csv").write_bytes(gzip.compress(b"A2,000,4.0,1391040000\n"))
    with pytest.raises(ValueError, match="ratings_Beauty.csv"):
        AmazonReviews("Beauty", "ratings").load(tmp_path)
