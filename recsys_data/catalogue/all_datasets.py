"""All data sets by their names on the command line."""

from __future__ import annotations

from recsys_data.datasets.amazon.co_purchases import AmazonCoPurchasing
from recsys_data.datasets.amazon.editions import AmazonFiveCore, AmazonPaper
from recsys_data.datasets.amazon.reviews import AmazonReviews
from recsys_data.datasets.citeulike import CiteULikeHCRNN, CiteULikeLibraries, CiteULikeLog
from recsys_data.datasets.dataset import Dataset
from recsys_data.datasets.diginetica import Diginetica, DigineticaViews
from recsys_data.datasets.lastfm import LastFM1K, LastFMArtistSessions, LastFMUserArtist
from recsys_data.datasets.movielens import (
    MovieLens1M,
    MovieLens1MLate,
    MovieLens1MOrdered,
    MovieLens1MSASRec,
    MovieLens1MSubsample,
    MovieLens10M,
    MovieLens100K,
)
from recsys_data.datasets.yoochoose import YooChoose64, YooChoose100k, YooChooseClicks
from recsys_data.generated.markov_chain import MarkovChainSequences

DATASETS: dict[str, Dataset] = {
    dataset.name: dataset
    for dataset in (
        MarkovChainSequences(),
        MovieLens100K(),
        MovieLens1M(),
        MovieLens1MOrdered(),
        MovieLens1MLate(),
        MovieLens1MSASRec(),
        MovieLens1MSubsample(),
        MovieLens10M(),
        LastFM1K(),
        LastFM1K(share=0.1),
        LastFMUserArtist(),
        LastFMArtistSessions(),
        CiteULikeLog(),
        CiteULikeHCRNN(),
        CiteULikeLibraries("a"),
        CiteULikeLibraries("t"),
        YooChooseClicks(),
        YooChoose64(),
        YooChoose100k(),
        Diginetica(),
        DigineticaViews(),
        DigineticaViews(order="file"),
        DigineticaViews(sample=True),
        AmazonReviews("Beauty"),
        AmazonReviews("Video_Games"),
        AmazonReviews("Digital_Music"),
        AmazonFiveCore("Beauty"),
        AmazonFiveCore("Sports_and_Outdoors"),
        AmazonFiveCore("Toys_and_Games"),
        AmazonPaper("SASRec"),
        AmazonPaper("BERT4Rec"),
        AmazonCoPurchasing(),
    )
}
